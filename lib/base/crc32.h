/* CRC-32 as zlib, Ethernet and Amazon's services have it: reflected, 0xedb88320. */
#ifndef RYDE_BASE_CRC32_H
#define RYDE_BASE_CRC32_H

#include "base/view.h"

#include <stdint.h>

/*
 * The checksum of the bytes. Several times as fast as zlib's where the processor
 * multiplies without carry. Source: Gopal and others, "Fast CRC Computation for Generic
 * Polynomials Using PCLMULQDQ Instruction", Intel 2009.
 */
uint32_t ryde_crc32(struct ryde_view bytes);

#endif
