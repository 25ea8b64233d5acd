#ifndef MAP_MAPFILE_H
#define MAP_MAPFILE_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The grid-mapfile, `"DN" account[,account...]`, read as the Grid Community
 * Toolkit reads it where that is safe.
 */
struct fault;

#define MAPFILE_DN_SIZE 1024
#define MAPFILE_ACCOUNTS_SIZE 512

struct mapfile_line {
	char dn[MAPFILE_DN_SIZE];	      /* OpenSSL's one-line form */
	char accounts[MAPFILE_ACCOUNTS_SIZE]; /* comma-separated, may be "" */
};

/**
 * mapfile_line_read(line, text, len, f):
 * Read one line (without newline): a DN in double quotes, or of characters
 * other than blanks, in which `\X` stands for X and `\xHH` for a byte; bytes
 * outside printable ASCII are written as `\xHH`, as OpenSSL prints names.
 * Blanks and commas divide accounts, and a leading comma makes an empty first
 * one.  1: an entry, 0: blank or comment, -1 and FAULT_INPUT: neither.
 */
CHECKED int mapfile_line_read(struct mapfile_line *line, const char *text,
    size_t len, struct fault *f);

/**
 * mapfile_has_account(line, account):
 * Whether ${account} is one of the line's.  What is meant as a comment (the
 * words from one that begins with '#' on) and pools (".name") are no accounts
 * here, although the Toolkit lets the former in.
 */
bool mapfile_has_account(const struct mapfile_line *line, const char *account);

/**
 * mapfile_dn_of(text, len, account, dn, size, f):
 * Read the map backwards: the DN of the first line that has ${account}.  Lines
 * that cannot be read are passed over.  FAULT_ABSENT if there is none.
 */
CHECKED int mapfile_dn_of(const char *text, size_t len, const char *account,
    char *dn, size_t size, struct fault *f);

#endif
