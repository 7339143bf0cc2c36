# ferrite_python_tests(PREFIX LABEL [FOLDER]): registers every test_NAME.py of a folder, the current one
# unless named, as ctest test PREFIXNAME. Each starts the servers that it needs.

# Debian's own Python, which finds Debian's grpc; another Python earlier in the PATH would not.
set(FERRITE_PYTHON /usr/bin/python3 CACHE FILEPATH "The Python that runs the tests")
set(FERRITE_PYTHON_STUBS ${CMAKE_BINARY_DIR}/tests/python_stubs)

function(ferrite_python_tests prefix label)
  set(folder ${CMAKE_CURRENT_SOURCE_DIR} ${ARGN})
  list(GET folder -1 folder)
  set(python_path ${CMAKE_SOURCE_DIR}/tests/e2e:${FERRITE_PYTHON_STUBS})
  set(suppressions ${CMAKE_SOURCE_DIR}/tests/e2e/tsan.supp)
  set(tsan_options ignore_noninstrumented_modules=1:suppressions=${suppressions})
  file(GLOB files CONFIGURE_DEPENDS ${folder}/test_*.py)
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME_WE)
    string(REGEX REPLACE "^test_" "${prefix}" name ${name})
    add_test(NAME ${name}
      COMMAND ${FERRITE_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/e2e/run_pytest.py ${file})
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT 300)
    set_property(TEST ${name} PROPERTY ENVIRONMENT
      PYTHONPATH=${python_path} TSAN_OPTIONS=${tsan_options}
      FERRITE_SERVER_BINARY=$<TARGET_FILE:ferrite-server> FERRITE_CLI_BINARY=$<TARGET_FILE:ferrite>)
  endforeach()
endfunction()
