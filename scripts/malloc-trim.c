/*
 * Loaded before a process by `soak-hostile.ts --trim`. At SIGUSR2 it tells what the C library has lent and what it keeps of what was given
 * back to it, hands that over to the kernel, and tells what is resident then.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static long resident_mib(void) {
  long size = 0, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%ld %ld", &size, &pages) != 2) pages = 0;
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE) >> 20;
}

static void on_signal(int number) {
  (void)number;
  struct mallinfo2 info = mallinfo2();
  long before = resident_mib();
  malloc_trim(0);
  fprintf(stderr, "malloc: %zu MiB lent, %zu MiB kept; resident %ld MiB, after malloc_trim %ld MiB\n",
          (info.uordblks + info.hblkhd) >> 20, info.fordblks >> 20, before, resident_mib());
}

__attribute__((constructor)) static void start(void) { signal(SIGUSR2, on_signal); }
