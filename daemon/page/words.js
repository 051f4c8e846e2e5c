// Everything that the page says, in Spanish and in English. {name} is filled in.
const words = {
  es: {
    title: "Estado de remitod", skip: "Ir al contenido", language: "English", find: "Buscar",
    wanted: "Pedido, remito o transportista:remito", fine: "Todo bien", degraded: "Requiere atención",
    away: "El daemon no responde", loading: "Cargando…", no_token: "Sin token",
    wrong: "Qué anda mal ahora", calm: "Nada requiere atención.", carriers: "Transportistas",
    carrier: "Transportista", state: "Estado", shipments: "Envíos abiertos", due: "Por consultar", requests: "Consultas de seguimiento",
    polls: "Consultas", changes: "Cambios", failed: "Fallas", last_answer: "Última respuesta", last_error: "Último error",
    budget: "Presupuesto", queue: "Cola de remitos", outbox: "Salida", unmapped: "Códigos sin clasificar",
    closed: "responde", open: "en pausa", half_open: "a prueba", login: "no nos deja entrar", held: "espera ({why})",
    none: "ninguno", never: "nunca", ago: "hace {age}", in: "en {age}", now: "ahora",
    filter: "Filtrar transportistas", oldest: "Más antiguo", count: "Cantidad", sink: "Destino", type: "Tipo",
    behind: "Atrasadas", waiting: "En espera", dead: "Abandonadas", delivered: "Entregadas",
    code: "Código", text: "Texto", seen: "Veces", last_seen: "Última vez", rule: "Regla sugerida",
    rule_hint: "Va en carrier.toml, antes de las reglas más amplias; remitod --check-carrier {carrier} la prueba.",
    open_by_status: "Envíos abiertos por estado", database: "Base de datos", transitions: "Transiciones",
    untold: "Sin numerar", version: "Versión", since: "desde", sampled: "La base de datos, {age}",
    updated: "Actualizado {age}", curve: "Cuándo publica, según lo aprendido", today: "Las últimas 24 horas",
    today_hint: "Envíos consultados y cambios detectados, cada 5 minutos.", curve_hint: "Qué parte de sus cambios publica cada 10 minutos de la semana ({zone}), y lo consultado y detectado en las últimas 24 horas.", curve_share: "Publica (%)", polls_today: "Consultas de hoy", changes_today: "Cambios de hoy",
    no_activity: "Aún no se le ha consultado desde el inicio.", no_curve: "Aún no hay nada aprendido: con modo fijo u horario no se aprende.",
    delay: "Demora media", hourly: "Con consulta horaria, en promedio", batch: "Próxima búsqueda de su tanda", peaks: "Horas de publicación", budget_left: "Presupuesto restante", left_of_hour: "Quedan en esta hora", left_of_day: "Quedan en este día", mode: "Modo", mode_adaptive: "adaptativo", mode_hourly: "cada hora", mode_fixed: "fijo",
    resync: "Consultar ahora", resync_done: "{done} de {shipments} respondidos", resync_rests: "{carrier} descansa hasta {until}",
    token: "Token", token_hint: "El de listen.token en remitod.toml. Se guarda solo en esta pestaña.", ok: "Aceptar", cancel: "Cancelar",
    wrong_token: "Ese no es el token.", not_found: "No se sabe nada de {target}.", order: "Pedido", remito: "Remito",
    status: "Estado", reason: "Motivo", attempts: "Intentos fallidos", last_asked: "Última consulta", next_due: "Próxima consulta",
    registered_at: "Registrado", ended_at: "Terminado", events: "Qué dijo el transportista", claimed: "Ocurrió, según él",
    seen_at: "Lo vimos", late_by: "Demora", place: "Lugar", told: "Qué se comunicó", from: "De", to: "A", seq: "N.º",
    marks: "Marcas", inferred: "deducido", late: "tardío", correction: "corrección", baseline: "inicial",
    raw: "Respuestas guardadas", raw_show: "Mostrar respuestas", raw_none: "No hay ninguna guardada de este envío.",
    asked_at: "Pedida", settled_at: "Resuelta", group: "Grupo", remito_requests: "Solicitudes de remito", why: "Por qué", kept_at: "Guardada",
    in_flight: "En curso", waiting_commit: "Esperan a la base", next: "Siguiente", resting: "Descansa hasta", back: "Resumen",
    unchanged: "Sin cambios", unmapped_events: "Eventos sin clasificar", wrong_rows: "Partes ilegibles", missing: "Faltantes",
    page_error: "No se pudo leer: {error}", carriers_fine: "{count} sin novedad", show_all: "Mostrar los {count}", copy: "Copiar", copied: "Copiado",
    t_database: "La base de datos no responde: las consultas esperan hasta que responda.",
    t_login: "{subject} no nos deja entrar: {why}", t_carrier: "{subject} falla: {why}",
    t_orders_rest: "{subject} no recibe solicitudes de remito ni anulaciones hasta {why}",
    t_remitos_unsent: "{subject}: {count} solicitud(es) de remito sin enviar: {why}",
    t_cancels_open: "{subject}: {count} anulación(es) sin resolver: {why}",
    t_needs_operator: "¿Ha creado {subject} el envío de la solicitud {count}? Hay que preguntarle, y luego: remitod --settle id:{count} --adopt REMITO | --refuse MOTIVO | --resend. {why}",
    t_cancel: "¿Ha anulado {subject} el envío? Hay que preguntarle; otra fila en cancel_requests lo pide de nuevo. {why}",
    t_sink_disabled: "El destino {subject} está desactivado: {why}. Para seguir: remitod --enable-sink {subject}",
    t_sink_failing: "El destino {subject} falla: {why}", t_dead_letters: "{count} transición(es) abandonadas del destino {subject}. Para enviarlas de nuevo: remitod --replay {subject}",
    t_orphans: "{count} envío(s) de transportistas que no están configurados.",
    rate: "límite", quota: "cupo", hours: "horario", days: "d", hours_short: "h", minutes: "min", seconds: "s",
  },
  en: {
    title: "State of remitod", skip: "Skip to content", language: "Español", find: "Find",
    wanted: "Order, remito or carrier:remito", fine: "All is well", degraded: "Needs attention",
    away: "The daemon does not answer", loading: "Loading…", no_token: "No token",
    wrong: "What is wrong now", calm: "Nothing needs attention.", carriers: "Carriers",
    carrier: "Carrier", state: "State", shipments: "Open shipments", due: "Due", requests: "Track requests",
    polls: "Polls", changes: "Changes", failed: "Failures", last_answer: "Last answer", last_error: "Last error",
    budget: "Budget", queue: "Queue of remitos", outbox: "Outbox", unmapped: "Unmapped codes",
    closed: "answers", open: "resting", half_open: "being tried", login: "does not let us in", held: "waits ({why})",
    none: "none", never: "never", ago: "{age} ago", in: "in {age}", now: "now",
    filter: "Filter carriers", oldest: "Oldest", count: "Count", sink: "Sink", type: "Type",
    behind: "Behind", waiting: "Waiting", dead: "Dead", delivered: "Delivered",
    code: "Code", text: "Text", seen: "Seen", last_seen: "Last seen", rule: "Suggested rule",
    rule_hint: "Goes into carrier.toml, before wider rules; remitod --check-carrier {carrier} tries it.",
    open_by_status: "Open shipments by status", database: "Database", transitions: "Transitions",
    untold: "Without seq", version: "Version", since: "since", sampled: "The database, {age}",
    updated: "Updated {age}", curve: "When it publishes, as learned", today: "The last 24 hours",
    today_hint: "Shipments asked about and changes detected, in spans of 5 minutes.", curve_hint: "Which part of its changes it publishes in each 10 minutes of the week ({zone}), and what was asked and detected in the last 24 hours.", curve_share: "Publishes (%)", polls_today: "Polls today", changes_today: "Changes today",
    no_activity: "It has not been asked since the start.", no_curve: "Nothing is learned yet: in the modes fixed and hourly nothing is.",
    delay: "Mean delay", hourly: "With an hourly pull, on average", batch: "Next look for its batch", peaks: "Hours of publication", budget_left: "Budget left", left_of_hour: "Left this hour", left_of_day: "Left this day", mode: "Mode", mode_adaptive: "adaptive", mode_hourly: "hourly", mode_fixed: "fixed",
    resync: "Ask now", resync_done: "{done} of {shipments} answered", resync_rests: "{carrier} rests until {until}",
    token: "Token", token_hint: "That of listen.token in remitod.toml. Kept in this tab alone.", ok: "OK", cancel: "Cancel",
    wrong_token: "That is not the token.", not_found: "Nothing is known of {target}.", order: "Order", remito: "Remito",
    status: "Status", reason: "Reason", attempts: "Failed attempts", last_asked: "Last asked", next_due: "Next asked",
    registered_at: "Registered", ended_at: "Ended", events: "What the carrier said", claimed: "Happened, it says",
    seen_at: "Seen by us", late_by: "Delay", place: "Place", told: "What was told", from: "From", to: "To", seq: "Seq",
    marks: "Marks", inferred: "inferred", late: "late", correction: "correction", baseline: "baseline",
    raw: "Answers that were kept", raw_show: "Show answers", raw_none: "None of this shipment was kept.",
    asked_at: "Asked", settled_at: "Settled", group: "Group", remito_requests: "Remito requests", why: "Why", kept_at: "Kept",
    in_flight: "In flight", waiting_commit: "Wait for the database", next: "Next", resting: "Rests until", back: "Overview",
    unchanged: "Unchanged", unmapped_events: "Unmapped events", wrong_rows: "Unreadable parts", missing: "Missing",
    page_error: "Could not be read: {error}", carriers_fine: "{count} without news", show_all: "Show all {count}", copy: "Copy", copied: "Copied",
    t_database: "The database does not answer: polling pauses until it does.",
    t_login: "{subject} does not let us in: {why}", t_carrier: "{subject} fails: {why}",
    t_orders_rest: "{subject} takes no requests for remitos or cancellations until {why}",
    t_remitos_unsent: "{subject}: {count} remito request(s) not sent: {why}",
    t_cancels_open: "{subject}: {count} cancellation(s) without an end: {why}",
    t_needs_operator: "Has {subject} made the shipment of request {count}? Ask it, then: remitod --settle id:{count} --adopt REMITO | --refuse WHY | --resend. {why}",
    t_cancel: "Has {subject} cancelled the shipment? Ask it; another row in cancel_requests asks it again. {why}",
    t_sink_disabled: "Sink {subject} is disabled: {why}. To go on: remitod --enable-sink {subject}",
    t_sink_failing: "Sink {subject} fails: {why}", t_dead_letters: "{count} dead letter(s) of sink {subject}. To send them again: remitod --replay {subject}",
    t_orphans: "{count} shipment(s) of carriers that are not configured.",
    rate: "limit", quota: "quota", hours: "hours", days: "d", hours_short: "h", minutes: "min", seconds: "s",
  },
};

// As in carriers/tracking.cpp; in English a code reads well enough.
const labels = {
  registered: "Registrado", picked_up: "Recogido", in_transit: "En Tránsito", out_for_delivery: "En reparto",
  available_for_pickup: "Disponible para recojo", attempt_failed: "Intento fallido", delivered: "Entregado",
  returning: "En devolución", returned: "Devuelto", exception: "Incidencia", cancelled: "Cancelado", expired: "Vencido",
  unmapped: "Sin clasificar", confirmed: "Confirmado", ready_to_ship: "Listo para Enviar", remito_refused: "Remito rechazado",
  recipient_absent: "Cliente ausente", address_not_found: "Dirección no encontrada", recipient_refused: "Cliente desiste",
  rescheduled: "Reprogramado", access_restricted: "Acceso restringido", payment_not_ready: "Pago no disponible",
  business_closed: "Local cerrado", damaged: "Dañado", lost: "Extraviado", out_of_coverage: "Fuera de cobertura",
  weather: "Clima", security: "Seguridad", customs: "Aduana", other: "Otro", pending: "Pendiente", sending: "Enviándose",
  accepted: "Aceptada", granted: "Otorgada", refused: "Rechazada", unknown: "Sin respuesta clara", needs_operator: "Requiere un operador",
};

const stored = localStorage.getItem("language");
let language = stored in words ? stored : (navigator.language || "es").startsWith("en") ? "en" : "es";

export const currentLanguage = () => language;

export function switchLanguage() {
  language = language === "es" ? "en" : "es";
  localStorage.setItem("language", language);
}

export function say(key, values = {}) {
  const text = words[language][key];
  return text === undefined ? undefined : text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? "");
}

export function label(code) {
  if (!code) return "";
  return (language === "es" && labels[code]) || code.replaceAll("_", " ");
}

export function number(value) {
  return value === undefined || value === null ? "–" : new Intl.NumberFormat(language).format(value);
}

// The day whose midnight this is in the carrier's zone: twelve hours later it is that day in UTC, too.
export function day(iso) {
  const noon = new Date(new Date(iso).getTime() + 12 * 3600 * 1000);
  return new Intl.DateTimeFormat(language, { dateStyle: "short", timeZone: "UTC" }).format(noon);
}

// A moment in the time zone of whoever looks.
export function moment(iso) {
  if (!iso) return "–";
  return new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" }).format(new Date(iso));
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} ${say("seconds")}`;
  if (s < 5400) return `${Math.round(s / 60)} ${say("minutes")}`;
  if (s < 172800) return `${Math.round(s / 360) / 10} ${say("hours_short")}`;
  return `${Math.round(s / 8640) / 10} ${say("days")}`;
}

// How long before or after `now`, the daemon's, which runs faster in demonstrations.
export function age(iso, now) {
  if (!iso) return say("never");
  const seconds = (new Date(now) - new Date(iso)) / 1000;
  if (Math.abs(seconds) < 1) return say("now");
  return seconds >= 0 ? say("ago", { age: duration(seconds) }) : say("in", { age: duration(-seconds) });
}
