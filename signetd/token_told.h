#ifndef SIGNETD_TOKEN_TOLD_H
#define SIGNETD_TOKEN_TOLD_H

/* What the role token tells the parent of its token, in TOKEN_NEWS. */
#define TOKEN_TOLD_PIN_LOW 1u	 /* a wrong PIN was given before */
#define TOKEN_TOLD_PIN_FINAL 2u	 /* one more locks it: it is not tried */
#define TOKEN_TOLD_PIN_LOCKED 4u /* it is locked */
#define TOKEN_TOLD_PIN_PAD 8u	 /* the PIN is entered at the reader */

#endif
