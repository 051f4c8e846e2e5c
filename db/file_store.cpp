// Files that carriers left for us: which have been read, and whose shipments they speak of.
#include "db/json_rows.h"
#include "db/session.h"
#include "db/stores.h"

namespace remitod::db {
namespace {

constexpr Sql load_sql{
    "select name, bytes, modified, content, reports, read_at from read_files where carrier = :carrier order by name",
    "select name, bytes, modified, content, reports, read_at from read_files where carrier = :carrier::text "
    "order by name"};

constexpr Sql remember_sql{R"(
    insert into read_files (carrier, name, bytes, modified, content, reports, read_at)
    values (:carrier, :name, :bytes, :modified, :content, :reports, :read_at)
    on conflict (carrier, name) do update
    set bytes = excluded.bytes, modified = excluded.modified, content = excluded.content, reports = excluded.reports,
        read_at = excluded.read_at)"};

constexpr Sql forget_sql{
    R"(delete from read_files where carrier = :carrier and name in (select value from json_each(:names)))",
    R"(delete from read_files where carrier = :carrier::text
         and name in (select value from jsonb_array_elements_text(:names::jsonb)))"};

constexpr Sql open_shipments_sql{
    R"(select id, carrier, remito, coalesce(registered_at, accepted_at), status from shipments
       where carrier = :carrier and remito in (select value from json_each(:remitos))
         and ended_at is null and accepted_at is not null)",
    R"(select id, carrier, remito, coalesce(registered_at, accepted_at), status from shipments
       where carrier = :carrier::text and remito in (select value from jsonb_array_elements_text(:remitos::jsonb))
         and ended_at is null and accepted_at is not null)"};

constexpr Sql new_shipments_sql{
    R"(select count(*) from shipments
       where carrier = :carrier and remito in (select value from json_each(:remitos)) and accepted_at is null)",
    R"(select count(*) from shipments
       where carrier = :carrier::text and remito in (select value from jsonb_array_elements_text(:remitos::jsonb))
         and accepted_at is null)"};

}  // namespace

DbResult<std::vector<ReadFile>> load_read_files(Session& session, std::string_view carrier) {
  std::vector<ReadFile> files;
  ReadFile row;
  session.query(load_sql, {{"carrier", carrier}},
                {&row.name, &row.bytes, &row.modified, &row.content, &row.reports, &row.read_at},
                [&] { files.push_back(row); });
  return files;
}

DbResult<void> remember_read_file(Session& session, std::string_view carrier, const ReadFile& file,
                                  std::span<const std::string> forgotten) {
  if (!forgotten.empty()) session.execute(forget_sql, {{"carrier", carrier}, {"names", texts_parameter(forgotten)}});
  session.execute(remember_sql, {{"carrier", carrier},
                                 {"name", file.name},
                                 {"bytes", file.bytes},
                                 {"modified", file.modified},
                                 {"content", file.content},
                                 {"reports", file.reports},
                                 {"read_at", file.read_at}});
  return {};
}

DbResult<bool> waits_to_be_taken_up(Session& session, std::string_view carrier, std::span<const std::string> remitos) {
  std::int64_t waiting = 0;
  session.query_row(new_shipments_sql, {{"carrier", carrier}, {"remitos", texts_parameter(remitos)}}, {&waiting});
  return waiting != 0;
}

DbResult<std::vector<OpenShipment>> find_open_shipments(Session& session, std::string_view carrier,
                                                        std::span<const std::string> remitos) {
  std::vector<OpenShipment> shipments;
  OpenShipment row;
  std::string status;
  session.query(open_shipments_sql, {{"carrier", carrier}, {"remitos", texts_parameter(remitos)}},
                {&row.shipment_id, &row.carrier, &row.remito, &row.registered_at, &status}, [&] {
                  row.status = status_from(status).value_or(Status::unmapped);
                  shipments.push_back(row);
                });
  return shipments;
}

}  // namespace remitod::db
