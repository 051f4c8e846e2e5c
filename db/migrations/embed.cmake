# cmake -DFOLDER=... -DOUTPUT=... -P embed.cmake: writes a C++ source with the SQL files of FOLDER/sqlite and
# FOLDER/postgresql in it, so that the program needs no file at run time.
set(text "// Made from migrations/ by embed.cmake.\n#include \"db/migrations.h\"\n\nnamespace remitod::db {\nnamespace {\n")
foreach(engine sqlite postgresql)
  file(GLOB files RELATIVE ${FOLDER}/${engine} ${FOLDER}/${engine}/*.sql)
  list(SORT files)
  set(last 0)
  string(APPEND text "\nconstexpr Migration ${engine}_migrations[] = {\n")
  foreach(file IN LISTS files)
    if(NOT file MATCHES "^0*([1-9][0-9]*)_.*\\.sql$" OR NOT CMAKE_MATCH_1 GREATER last)
      message(FATAL_ERROR "migrations/${engine}/${file}: a number over ${last} was expected here")
    endif()
    set(last ${CMAKE_MATCH_1})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${FOLDER}/${engine}/${file} sql)
    string(APPEND text "    {${last}, \"${name}\", R\"sql(${sql})sql\"},\n")
  endforeach()
  string(APPEND text "};\n")
endforeach()
string(APPEND text "\n}  // namespace\n
std::span<const Migration> migrations(DatabaseUrl::Engine engine) {
  if (engine == DatabaseUrl::Engine::sqlite) return sqlite_migrations;
  return postgresql_migrations;
}

}  // namespace remitod::db\n")
file(WRITE ${OUTPUT} "${text}")
