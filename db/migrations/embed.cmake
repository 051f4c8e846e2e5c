# cmake -DFOLDER=... -DOUTPUT=... -P embed.cmake: writes a C++ source with the SQL files of FOLDER/sqlite and
# FOLDER/postgresql in it, so that the program needs no file at run time.
set(text "// Made from migrations/ by embed.cmake.\n#include \"db/migrations.h\"\n\nnamespace remitod::db {\nnamespace {\n")
foreach(engine sqlite postgresql)
  file(GLOB files RELATIVE ${FOLDER}/${engine} ${FOLDER}/${engine}/*.sql)
  list(SORT files)
  set(last 0)
  string(APPEND text "\nconstexpr Migration ${engine}_migrations[] = {\n")
  foreach(file IN LISTS files)
    # No gaps: whoever fills one later would run behind its successors on the databases that have these already.
    math(EXPR next "${last} + 1")
    if(NOT file MATCHES "^0*([1-9][0-9]*)_.*\\.sql$" OR NOT CMAKE_MATCH_1 EQUAL next)
      message(FATAL_ERROR "migrations/${engine}/${file}: the number ${next} was expected here")
    endif()
    set(last ${next})
    get_filename_component(name ${file} NAME_WE)
    file(READ ${FOLDER}/${engine}/${file} sql)
    string(APPEND text "    {${last}, \"${name}\", R\"sql(${sql})sql\"},\n")
  endforeach()
  set(last_of_${engine} ${last})
  string(APPEND text "};\n")
endforeach()
if(NOT last_of_sqlite EQUAL last_of_postgresql)
  message(FATAL_ERROR "migrations: sqlite has ${last_of_sqlite} of them, postgresql ${last_of_postgresql}")
endif()
string(APPEND text "\n}  // namespace\n
std::span<const Migration> migrations(DatabaseUrl::Engine engine) {
  if (engine == DatabaseUrl::Engine::sqlite) return sqlite_migrations;
  return postgresql_migrations;
}

}  // namespace remitod::db\n")
file(WRITE ${OUTPUT} "${text}")
