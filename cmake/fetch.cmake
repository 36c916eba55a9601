include(FetchContent)

# Makes a library available that the system lacks, from a pinned release; ${name}_SOURCE_DIR (in lower case) is where its
# sources lie. The archive is fetched by file(DOWNLOAD) first, because the failure of FetchContent's own download is
# minutes late and says nothing of what to install.
macro(constellm_fetch name debian_package option url sha256)
  set(fetch_archive "${CMAKE_BINARY_DIR}/_deps/${name}.tar.gz")
  if(NOT EXISTS "${fetch_archive}")
    message(STATUS "${name} is not installed; downloading ${url}")
    file(DOWNLOAD "${url}" "${fetch_archive}" STATUS fetch_status INACTIVITY_TIMEOUT 30)
    if(NOT fetch_status MATCHES "^0;")
      file(REMOVE "${fetch_archive}")
      message(FATAL_ERROR "${name} is not installed and cannot be downloaded (${fetch_status}). Install it (Debian: "
                          "apt-get install ${debian_package}), or build without what needs it: -D${option}=OFF.")
    endif()
  endif()
  FetchContent_Declare(${name} URL "${fetch_archive}" URL_HASH SHA256=${sha256})
  FetchContent_MakeAvailable(${name})
endmacro()
