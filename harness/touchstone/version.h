/*
 * The suite's version: it goes into every report.
 */
#ifndef TOUCHSTONE_VERSION_H
#define TOUCHSTONE_VERSION_H

#define SUITE_VERSION "0.1.0"

#endif
