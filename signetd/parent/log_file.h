#ifndef SIGNETD_PARENT_LOG_FILE_H
#define SIGNETD_PARENT_LOG_FILE_H

#include "base/checked.h"

struct fault;

/**
 * log_file_open(path, f):
 * From now on standard error, and what is started later, appends to the file
 * ${path}, which is made with mode 0640 if it is missing.  Nothing happens if
 * ${path} is empty.  FAULT_CONFIG, and all stays as it was, if it is a link or
 * no regular file; FAULT_SYSTEM if it cannot be opened.  Called again, it opens
 * it anew: whoever rotates logs has moved the old one away.
 */
CHECKED int log_file_open(const char *path, struct fault *f);

#endif
