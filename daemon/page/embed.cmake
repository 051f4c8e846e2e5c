# cmake -DFOLDER=... -DDYGRAPHS=... -DOUTPUT=... -P embed.cmake: writes a C++ source with the files of the page in it, and with
# those of dygraphs, so that the program needs no file at run time and the page nothing from elsewhere.
set(type.html "text/html; charset=utf-8")
set(type.css "text/css; charset=utf-8")
set(type.js "text/javascript; charset=utf-8")
set(type.svg "image/svg+xml")
file(GLOB files ${FOLDER}/*.html ${FOLDER}/*.css ${FOLDER}/*.js ${FOLDER}/*.svg)
list(APPEND files ${DYGRAPHS}/dygraph.min.js ${DYGRAPHS}/dygraph.min.css)
set(text "// Made from page/ by embed.cmake.\n#include \"daemon/web_page.h\"\n\nnamespace remitod::daemon {\nnamespace {\n\nconstexpr PageFile files[] = {\n")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  get_filename_component(extension ${file} LAST_EXT)
  set(path /${name})
  if(name STREQUAL index.html)
    set(path /)
  endif()
  file(READ ${file} content)
  # Whatever would fetch a map of the source from the server, which has none.
  string(REGEX REPLACE "\n(//|/[*])# sourceMappingURL=[^\n]*" "" content "${content}")
  string(APPEND text "    {\"${path}\", \"${type${extension}}\",\n     R\"~page~(${content})~page~\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace\n
const PageFile* page_file(std::string_view path) {
  for (const PageFile& file : files)
    if (file.path == path) return &file;
  return nullptr;
}

}  // namespace remitod::daemon\n")
file(WRITE ${OUTPUT} "${text}")
