# ferrite_python_test(NAME FILE LABEL): registers a pytest file as one ctest test. It starts the servers that it needs.

# Debian's own Python, which sees Debian's grpc; another one earlier in the PATH does not.
set(FERRITE_PYTHON /usr/bin/python3 CACHE FILEPATH "The Python that runs the tests")
set(FERRITE_PYTHON_STUBS ${CMAKE_BINARY_DIR}/tests/python_stubs)

function(ferrite_python_test name file label)
  add_test(NAME ${name}
    COMMAND ${FERRITE_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/e2e/run_pytest.py ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  set_tests_properties(${name} PROPERTIES
    LABELS ${label}
    TIMEOUT 180
    ENVIRONMENT "PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/e2e:${FERRITE_PYTHON_STUBS};FERRITE_SERVER_BINARY=$<TARGET_FILE:ferrite-server>")
endfunction()
