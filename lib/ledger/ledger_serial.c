#include "base/fault.h"
#include "ledger/ledger_book.h"
#include "x509/der.h"

#include <string.h>

/* Serials as the book has them. */

int
ledger_serial_pad(struct wire_bytes serial, uint8_t padded[LEDGER_SERIAL_SIZE],
    struct fault *f)
{
	while (serial.len > 0 && serial.data[0] == 0) {
		serial.data++;
		serial.len--;
	}
	if (serial.len == 0 || serial.len > LEDGER_SERIAL_SIZE)
		return fault_set(f, FAULT_INPUT,
		    "ledger: a serial has 1 to 20 octets (RFC 5280 4.1.2.2)");
	memset(padded, 0, LEDGER_SERIAL_SIZE);
	memcpy(padded + LEDGER_SERIAL_SIZE - serial.len, serial.data,
	    serial.len);
	return 0;
}

struct wire_bytes
ledger_der_serial(struct wire_bytes der)
{
	struct der_in in = DER_IN(der.data, der.len);
	struct der_in certificate = der_enter(&in, DER_SEQUENCE);
	struct der_in tbs = der_enter(&certificate, DER_SEQUENCE);
	struct wire_bytes serial;

	(void)der_get_whole(&tbs, DER_CONTEXT_C(0));
	serial = der_get_positive(&tbs);
	if (tbs.failed)
		return (struct wire_bytes){ NULL, 0 };
	return serial;
}
