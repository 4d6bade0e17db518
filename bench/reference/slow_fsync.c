/* Preloaded into a process, makes each fsync and fdatasync take SLOW_FSYNC_MS (30) longer, like a
   busy or cheap disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void delay(void) {
  const char* text = getenv("SLOW_FSYNC_MS");
  const long milliseconds = text != NULL ? atol(text) : 30;
  const struct timespec duration = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&duration, NULL);
}

int fsync(int descriptor) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  delay();
  return next(descriptor);
}

int fdatasync(int descriptor) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  delay();
  return next(descriptor);
}
