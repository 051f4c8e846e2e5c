// Is this answer one that can be read at all? What holds for every operation, before a shipment or an order is looked
// at. Private to carriers/.
#pragma once

#include <expected>
#include <string>

#include "carriers/compiled.h"
#include "carriers/mapping.h"
#include "carriers/transport.h"

namespace remitod::carriers {

bool is_success(const AnswerRules& rules, int http_status);
std::expected<Document, DecodeError> decode(const AnswerRules& rules, const HttpAnswer& answer);

/// Does the document fulfil a condition that the profile states? Not one that it does not state.
bool says(const std::optional<Query>& condition, const Document& document);

/// What the carrier says went wrong: by the profile's `error`, else the beginning of the body. One line, at most 200
/// bytes; `document` is null where the body could not be decoded.
std::string carrier_words(const AnswerRules& rules, const HttpAnswer& answer, const Document* document);

/// The document of an answer that the carrier itself calls a success, or why there is none.
std::expected<Document, CarrierTrouble> open_answer(const AnswerRules& rules, const HttpAnswer& answer);

/// "an HTML page instead of data: ..."
std::string describe(const DecodeError& error);

}  // namespace remitod::carriers
