// The payload of a remito request: its shape (db/README.md documents it for the platform), and what a profile needs of
// it.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carriers/json_value.h"
#include "carriers/request.h"
#include "carriers/template_names.h"

namespace remitod::carriers {

/// Parses the text and checks the types of all fields that the contract knows; others are let through. The error names
/// the field ("parcels.0.weight_kg") and never quotes its value: it may be personal data.
std::expected<JsonValue, RequestError> read_payload(std::string_view text);

/// Adds a path that a profile declares ("recipient.address.street", "parcels.0.weight_kg") to what its templates may
/// name. In a list, `0` stands for every element, as does `*`. Error: a field that no payload has, with the nearest.
std::expected<void, std::string> declare_field(NameTree& names, std::string_view path);

/// Every other field of a payload, as one that templates may not name.
void add_unlisted_fields(NameTree& names);

/// "recipient.address.ubigeo", "parcels.0.weight_kg": all that db/README.md describes.
std::vector<std::string> payload_paths();

/// Top-level fields among `names` that are none of these: the platform adds them to its payloads by itself.
std::vector<std::string> own_fields(const NameTree& names);

/// Of a field that the platform adds to its payloads by itself: did the profile mean one of payload_paths()? Empty:
/// none is like it.
std::string meant_field(std::string_view own_field);

/// What is wrong with a payload of which a field is called nearly as one of these, but not so: "recipent". Empty:
/// nothing, or it is none.
std::string misspelt_field(std::string_view payload);

/// The first of the declared paths for which the payload has nothing, or only blanks; of a list every element must have
/// it, and there must be one.
std::optional<RequestError> first_missing(const JsonValue& payload, std::span<const std::string> required,
                                          std::string_view carrier);

/// The declared part of a payload, null where it has nothing: all that a template sees of it.
JsonValue select_fields(const JsonValue* value, const NameTree& names);

}  // namespace remitod::carriers
