/* SPDX-License-Identifier: ISC */
/* Not Arduino: what the sketch of packaging/arduino takes from it, so that it can be compiled. */
#include <stddef.h>
#include <stdint.h>
struct serial_stand_in {
    void begin(unsigned long);
    int available();
    int read();
    size_t write(const uint8_t *, size_t);
    size_t println(const char *);
    operator bool() const;
};
extern serial_stand_in Serial, Serial1;
unsigned long millis();
void delay(unsigned long);
