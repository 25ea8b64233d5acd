#include "base/fault.h"
#include "base/text.h"
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

void
ledger_serial_text(struct wire_bytes serial, char text[LEDGER_SERIAL_TEXT_SIZE])
{
	text[0] = '\0';
	if (serial.data == NULL || serial.len > LEDGER_SERIAL_SIZE)
		return;
	for (; serial.len > 1 && *serial.data == 0; serial.data++)
		serial.len--;
	text_hex(serial.data, serial.len, text);
}

int
ledger_serial_read(const char *hex, uint8_t padded[LEDGER_SERIAL_SIZE],
    struct fault *f)
{
	char even[LEDGER_SERIAL_TEXT_SIZE];
	uint8_t bytes[LEDGER_SERIAL_SIZE];
	int len;

	while (*hex == '0')
		hex++;
	if (text_fmt(even, sizeof(even), "%s%s",
		strlen(hex) % 2 == 0 ? "" : "0", hex) < 0 ||
	    (len = text_unhex(even, bytes, sizeof(bytes))) < 0)
		return fault_set(f, FAULT_INPUT,
		    "a serial is at most 40 hexadecimal digits");
	return ledger_serial_pad((struct wire_bytes){ bytes, (size_t)len },
	    padded, f);
}
