# What `cmake --install` puts where, and the Debian package that cpack makes of it (docs/install.md).
include(GNUInstallDirs)

install(TARGETS ptnas RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")

# The manual page and the completions come from the program itself.
set(PTNAS_SHARE "${PROJECT_BINARY_DIR}/share")
set(PTNAS_SHARE_FILES "${PTNAS_SHARE}/ptnas.1.gz" "${PTNAS_SHARE}/changelog.gz")
add_custom_command(OUTPUT "${PTNAS_SHARE}/ptnas.1.gz" COMMAND ${CMAKE_COMMAND} -E make_directory "${PTNAS_SHARE}"
  COMMAND $<TARGET_FILE:ptnas> man > "${PTNAS_SHARE}/ptnas.1" COMMAND gzip -9nf "${PTNAS_SHARE}/ptnas.1" DEPENDS ptnas VERBATIM)
add_custom_command(OUTPUT "${PTNAS_SHARE}/changelog.gz" COMMAND ${CMAKE_COMMAND} -E make_directory "${PTNAS_SHARE}"
  COMMAND gzip -9nc "${PROJECT_SOURCE_DIR}/CHANGELOG.md" > "${PTNAS_SHARE}/changelog.gz" DEPENDS "${PROJECT_SOURCE_DIR}/CHANGELOG.md" VERBATIM)
foreach(SHELL bash fish zsh)
  add_custom_command(OUTPUT "${PTNAS_SHARE}/ptnas.${SHELL}" COMMAND ${CMAKE_COMMAND} -E make_directory "${PTNAS_SHARE}"
    COMMAND $<TARGET_FILE:ptnas> completion ${SHELL} > "${PTNAS_SHARE}/ptnas.${SHELL}" DEPENDS ptnas VERBATIM)
  list(APPEND PTNAS_SHARE_FILES "${PTNAS_SHARE}/ptnas.${SHELL}")
endforeach()
add_custom_target(ptnas_share ALL DEPENDS ${PTNAS_SHARE_FILES})

install(FILES "${PTNAS_SHARE}/ptnas.1.gz" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${PTNAS_SHARE}/ptnas.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME ptnas)
install(FILES "${PTNAS_SHARE}/ptnas.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
# Debian's zsh looks for those of packages elsewhere than for those of an administrator.
install(CODE "
  set(folder site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(folder vendor-completions)
  endif()
  file(INSTALL \"${PTNAS_SHARE}/ptnas.zsh\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${folder}\" RENAME _ptnas)")

set(PTNAS_DOC "${CMAKE_INSTALL_DATADIR}/doc/ptnas")
file(GLOB PTNAS_DOC_FILES CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/*.md" "${PROJECT_SOURCE_DIR}/docs/*.png")
install(FILES ${PTNAS_DOC_FILES} DESTINATION "${PTNAS_DOC}/docs")
install(FILES README.md "${PTNAS_SHARE}/changelog.gz" DESTINATION "${PTNAS_DOC}")
install(FILES LICENSE DESTINATION "${PTNAS_DOC}" RENAME copyright)
install(DIRECTORY examples DESTINATION "${PTNAS_DOC}")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The ptnas authors")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "differentiable architecture search with perturbation-based selection")
set(CPACK_PACKAGE_DESCRIPTION "From a folder of images to a small trained network and a page that explains every choice,
on ordinary CPU cores: supernet training, selection by perturbation (DARTS-PT) and retraining on libtorch.")
set(CPACK_STRIP_FILES TRUE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS TRUE)
# The data set of the first job.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS dataset-fashion-mnist)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS bash-completion)
include(CPack)
