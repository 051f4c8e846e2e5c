// Answers that come in pages: which page is next. Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "carriers/mapping.h"
#include "carriers/profile.h"
#include "carriers/request.h"
#include "carriers/transport.h"

namespace remitod::carriers {

enum class PagedOperation : std::uint8_t { track, feed };

/// The page after `position`, at which `answer` was given to `request`; nothing where that was the last, or the
/// operation has no pages. Trouble: a next link to another host, a page that leads to itself, more pages than the
/// profile allows or more bytes than one answer may have: then none of the pages is to be believed. An answer that is
/// itself trouble has no next page: the mapping tells.
std::expected<std::optional<PagePosition>, CarrierTrouble> next_page(const Profile& profile, PagedOperation operation,
                                                                     const HttpRequest& request,
                                                                     const HttpAnswer& answer,
                                                                     const PagePosition& position);

/// Has this operation pages at all? Else one answer is all.
bool has_pages(const Profile& profile, PagedOperation operation);

/// map_track over all pages of an answer. `pages` is not empty.
std::expected<TrackAnswer, CarrierTrouble> map_track_pages(const Profile& profile, std::span<const HttpAnswer> pages,
                                                           std::span<const TrackItem> asked);
/// What a feed tells: of every shipment that it names, whether it is ours or not.
std::expected<TrackAnswer, CarrierTrouble> map_feed(const Profile& profile, std::span<const HttpAnswer> pages);

}  // namespace remitod::carriers
