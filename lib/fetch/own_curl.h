#ifndef FETCH_OWN_CURL_H
#define FETCH_OWN_CURL_H

#include "base/own.h"

#include <curl/curl.h>

OWN_FREE(CURLU, curl_url_cleanup)
OWN_FREE(CURL, curl_easy_cleanup)

#endif
