#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>

/* ${len} bytes that nobody can guess, from the kernel.  Never fails: without
 * randomness the process aborts, since going on would be worse. */
void rand_bytes(void *data, size_t len);

/* A reference number a user can quote: 12 hexadecimal digits and a NUL. */
#define RAND_REF_SIZE 13
void rand_ref(char ref[RAND_REF_SIZE]);

#endif
