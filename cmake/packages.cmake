# Debian packages: libbnn, libbnn-dev and bnn-tools, by cpack. tools/setup/make_packages.sh builds them for each
# architecture.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bnn)
set(CPACK_PACKAGE_CONTACT "bnn maintainers <maintainers@bnn.example.org>" CACHE STRING "Maintainer of the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL library development tools)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
# Of Debian's packages, with versions: what the files need. The libraries of another architecture are in its root
# (tools/setup/arm_sysroot.sh), with what Debian's tool has to know of them.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})  # bnn-tools needs libbnn
if(arm_debian)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${arm_debian})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/cpack_project.cmake.in ${PROJECT_BINARY_DIR}/cpack_project.cmake @ONLY)
  set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_BINARY_DIR}/cpack_project.cmake)
endif()

set(bnn_text "Runs binary neural networks, whose weights and activations have one bit, with
 XNOR-popcount kernels for AVX-512, AVX2 and NEON.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libbnn)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
file(WRITE ${PROJECT_BINARY_DIR}/deb/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/deb/triggers)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "${PROJECT_DESCRIPTION}: library\n${bnn_text}")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libbnn-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libbnn (= ${PROJECT_VERSION}-1)")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "${PROJECT_DESCRIPTION}: headers\n${bnn_text}\n Headers and files for CMake and pkg-config.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME bnn-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "libbnn (= ${PROJECT_VERSION}-1)")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "${PROJECT_DESCRIPTION}: programs\n${bnn_text}\n bnn-run runs and measures models, bnn-convert makes them.")

# What every package of Debian has.
foreach(component library development tools)
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(changelog ${PROJECT_BINARY_DIR}/deb/${package}.changelog.gz)
  file(WRITE ${PROJECT_BINARY_DIR}/deb/${package}.changelog
    "bnn (${PROJECT_VERSION}-1) unstable; urgency=medium\n\n  * Built from the sources of version ${PROJECT_VERSION}.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  Sun, 01 Nov 2026 00:00:00 +0000\n")
  execute_process(COMMAND gzip --best --no-name --stdout ${PROJECT_BINARY_DIR}/deb/${package}.changelog
    OUTPUT_FILE ${changelog} COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${changelog} DESTINATION share/doc/${package} RENAME changelog.Debian.gz COMPONENT ${component})
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/copyright DESTINATION share/doc/${package} COMPONENT ${component})
endforeach()
# The library's package has the name that its users know; versions that do not replace one another would need another.
file(WRITE ${PROJECT_BINARY_DIR}/deb/libbnn.overrides "libbnn: package-name-doesnt-match-sonames *\n")
install(FILES ${PROJECT_BINARY_DIR}/deb/libbnn.overrides DESTINATION share/lintian/overrides RENAME libbnn
  COMPONENT library)

include(CPack)
