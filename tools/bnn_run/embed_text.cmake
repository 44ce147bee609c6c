# cmake -D INPUT=FILE -D OUTPUT=FILE.cc -D NAME=kName -P embed_text.cmake
# Writes a C++ file that defines bnn::run::NAME, the text of INPUT as a string.
file(READ ${INPUT} text)
set(delimiter bnn_text)
string(FIND "${text}" ")${delimiter}\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "${INPUT} holds )${delimiter}\"")
endif()
file(WRITE ${OUTPUT} "// Made of ${INPUT}.
namespace bnn::run {
extern const char* const ${NAME};
const char* const ${NAME} = R\"${delimiter}(${text})${delimiter}\";
}  // namespace bnn::run
")
