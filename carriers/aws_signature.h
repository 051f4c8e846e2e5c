// AWS Signature Version 4, [auth] kind = "aws_sigv4". After the "Signature Version 4 signing process" of the AWS
// General Reference. Not libcurl's CURLOPT_AWS_SIGV4: that of Debian 12 neither sorts the query nor signs a body of
// GET, and what it sends can be neither shown nor tested without a server. Pure. Private to carriers/.
#pragma once

#include <string>

#include "carriers/tracking.h"
#include "carriers/transport.h"

namespace remitod::carriers {

struct AwsCredentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  ///< of temporary credentials; may be empty
  std::string region;
  std::string service;
};

/// Adds X-Amz-Date, X-Amz-Security-Token where there is one, and Authorization. Signed are host, content-type and
/// every x-amz-* header, and the body. Nothing may be added to the request afterwards.
void sign(HttpRequest& request, const AwsCredentials& credentials, Instant now);

}  // namespace remitod::carriers
