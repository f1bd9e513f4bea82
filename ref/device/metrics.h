/*
 * What the device measures of itself, for Prometheus: its text format 0.0.4.
 *
 * Each family has its help and its type; labels come from the tables of
 * statistics, hardware and operations. Octets are called bytes here, and times
 * are seconds, as the format's own conventions want it. No name, address or key
 * of anybody is in it.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef DEVICE_METRICS_H
#define DEVICE_METRICS_H

#include "base/buf.h"

struct appliance;

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum { METRICS_MOST_OCTETS = 256 << 10 };

/* Appended. ERR_LIMIT, ERR_NOMEM */
enum err metrics_write(struct appliance *appliance, struct buf *out) MUST_CHECK;

#endif
