#include "daemon/suggested_rule.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "carriers/text_fold.h"

namespace remitod::daemon {
namespace {

struct Words {
  std::string_view part;  ///< folded: no accents, one case
  Status status;
  Reason reason = Reason::none;
};

// The first part that the text holds decides, so what is said more exactly stands first: "no entregado" before
// "entregado", the way back before the way there.
constexpr Words vocabulary[] = {
    {"ausente", Status::attempt_failed, Reason::recipient_absent},
    {"no se encontraba", Status::attempt_failed, Reason::recipient_absent},
    {"absent", Status::attempt_failed, Reason::recipient_absent},
    {"not at home", Status::attempt_failed, Reason::recipient_absent},
    {"nobody home", Status::attempt_failed, Reason::recipient_absent},
    {"direccion", Status::attempt_failed, Reason::address_not_found},
    {"endereco", Status::attempt_failed, Reason::address_not_found},
    {"address", Status::attempt_failed, Reason::address_not_found},
    {"rechaz", Status::attempt_failed, Reason::recipient_refused},
    {"recus", Status::attempt_failed, Reason::recipient_refused},
    {"refused", Status::attempt_failed, Reason::recipient_refused},
    {"desiste", Status::attempt_failed, Reason::recipient_refused},
    {"reprogram", Status::attempt_failed, Reason::rescheduled},
    {"reagend", Status::attempt_failed, Reason::rescheduled},
    {"reschedul", Status::attempt_failed, Reason::rescheduled},
    {"no entregad", Status::attempt_failed},
    {"nao entregue", Status::attempt_failed},
    {"not delivered", Status::attempt_failed},
    {"intento", Status::attempt_failed},
    {"tentativa", Status::attempt_failed},
    {"attempt", Status::attempt_failed},
    {"visita", Status::attempt_failed},
    {"extravi", Status::exception, Reason::lost},
    {"robo", Status::exception, Reason::lost},
    {"siniestr", Status::exception, Reason::lost},
    {"lost", Status::exception, Reason::lost},
    {"danad", Status::exception, Reason::damaged},
    {"avari", Status::exception, Reason::damaged},
    {"damag", Status::exception, Reason::damaged},
    {"aduana", Status::exception, Reason::customs},
    {"alfandeg", Status::exception, Reason::customs},
    {"customs", Status::exception, Reason::customs},
    {"devuelto", Status::returned},
    {"devolvido", Status::returned},
    {"returned", Status::returned},
    {"devol", Status::returning},
    {"retorno", Status::returning},
    {"return", Status::returning},
    {"anulad", Status::cancelled},
    {"cancel", Status::cancelled},
    {"en reparto", Status::out_for_delivery},
    {"en distribucion", Status::out_for_delivery},
    {"saiu para entrega", Status::out_for_delivery},
    {"salio a", Status::out_for_delivery},
    {"out for delivery", Status::out_for_delivery},
    {"listo para retir", Status::available_for_pickup},
    {"disponible para", Status::available_for_pickup},
    {"ready for pickup", Status::available_for_pickup},
    {"aguardando retirada", Status::available_for_pickup},
    {"entregad", Status::delivered},
    {"entregue", Status::delivered},
    {"delivered", Status::delivered},
    {"recogid", Status::picked_up},
    {"recolectad", Status::picked_up},
    {"coletad", Status::picked_up},
    {"retirado", Status::picked_up},
    {"picked up", Status::picked_up},
    {"transito", Status::in_transit},
    {"transit", Status::in_transit},
    {"en camino", Status::in_transit},
    {"despachad", Status::in_transit},
    {"en ruta", Status::in_transit},
    {"arrib", Status::in_transit},
    {"llego", Status::in_transit},
    {"encaminhado", Status::in_transit},
    {"registrad", Status::registered},
    {"admitid", Status::registered},
    {"creado", Status::registered},
    {"created", Status::registered},
};

/// A basic string of TOML, which JSON's are: the escapes are the same.
std::string quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

SuggestedMeaning suggest_meaning(std::string_view text) {
  const std::string folded = carriers::fold(text);
  const auto found = std::ranges::find_if(vocabulary, [&](const Words& words) { return folded.contains(words.part); });
  if (found == std::ranges::end(vocabulary)) return {};
  return {found->status, found->reason};
}

std::string suggested_rule(std::string_view code, std::string_view text) {
  const SuggestedMeaning meaning = suggest_meaning(text.empty() ? code : text);
  std::string rule = "[[track.status]]\n";
  // Most carriers' code is their text, which is compared without case, accents and spacing.
  rule += code.empty() || code == text ? "text = " + quoted(text) : "code = " + quoted(code);
  if (!code.empty() && code != text && !text.empty()) rule += "   # " + quoted(text);
  rule += "\n";
  if (meaning.status == Status::unmapped) return rule + "status = \"\"   # its words say nothing: ask the carrier\n";
  rule += "status = \"" + std::string(name(meaning.status)) + "\"\n";
  if (meaning.reason != Reason::none) rule += "reason = \"" + std::string(name(meaning.reason)) + "\"\n";
  return rule;
}

}  // namespace remitod::daemon
