# Before a package is made of them: files where Debian looks for them, its man pages compressed.
set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}${CPACK_PACKAGING_INSTALL_PREFIX}/share)
execute_process(COMMAND gzip -9nf ${share}/man/man1/svrg.1 COMMAND_ERROR_IS_FATAL ANY)
file(MAKE_DIRECTORY ${share}/zsh/vendor-completions)
file(RENAME ${share}/zsh/site-functions/_svrg ${share}/zsh/vendor-completions/_svrg)
file(REMOVE_RECURSE ${share}/zsh/site-functions)
