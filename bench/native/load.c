/*
 * The load generator of the benchmark: one thread, epoll, one request per connection at a time. Checks every answer: the status, and
 * every byte of the body (`--expect`), or that a marker stands in it (`--marker`, for gateways that write answers anew).
 *
 *   load --port N --path /v1/responses --body FILE --expect FILE [--header "name: value"]... --conns N --ms N [--warm-ms N]
 *        [--rate N]       requests per second, started by the clock whether or not the last one is over (open loop)
 *        [--abort-us N]   close each connection so long after the first bytes of its answer, and open another
 *        [--grace-ms N]   how long answers may still come after the time is over; 3,000
 *        [--marker TEXT]  instead of --expect
 *
 * 16 times '@' in the expected body stands for a time (CLOCK_MONOTONIC, ns): the delay since then is a sample. Comments of an event stream
 * (`: …` and an empty line, between two events) belong to no answer and are passed over: whoever waits for a provider may send them.
 *
 * One JSON object on standard output tells what was measured between the end of the warm-up and the end of the time. A line of JSON on
 * standard error tells of each turn that failed (of the first 500), at once: its id (`x-understudy-turn`), and what the client saw.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNS = 4096, MAX_SAMPLES = 1 << 21, MOST_TOLD = 500 };

typedef struct {
  int fd;
  int busy, watches_out;
  uint64_t started, first_byte, ended;
  const char *out;
  size_t left;
  char head[16384];
  size_t head_length;
  int in_body, chunked, status;
  long length; /* -1: until the connection closes */
  size_t seen; /* bytes of the body */
  /* Chunked: what is left of the chunk; -1: reading its size; -2: the line feed behind it; -3: trailers. */
  long chunk;
  char line[64];
  int line_length;
  uint64_t stamp;
  char *kept;
  int is_stream;
  /* In a comment of an event stream; and the byte of it before this one. */
  int in_comment;
  char comment_byte;
  int failed;
  char said[400]; /* the beginning of a body that is no answer */
  size_t said_length;
} Conn;

static Conn *conns;
static int ep, conn_count = 1, port;
static char *request;
static size_t request_length;
static char *expected;
static size_t expected_length;
static const char *marker;
static uint64_t begin_ns, end_ns, abort_ns;
static long grace_ms = 3000;
static long rate, total, measured, errors, aborts, unsent, comments;
static char first_error[512];
static uint64_t started_ns;
static uint32_t per_second[4096]; /* complete answers, by when */
static int last_second;
static size_t most_waiting;
static uint64_t measured_bytes;
static uint32_t *latencies, *delays, *firsts; /* microseconds × 10 */
static size_t latency_count, delay_count;
static uint64_t queue[1 << 16];
static size_t queue_head, queue_tail;
static int stopping;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static char *slurp(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(*length + 1);
  if (fread(bytes, 1, *length, file) != *length) exit(1);
  fclose(file);
  return bytes;
}

static void put_text(FILE *to, const char *text, size_t length) {
  putc('"', to);
  for (const char *end = text + length; text < end; text++) {
    if (*text == '"' || *text == '\\') fprintf(to, "\\%c", *text);
    else if ((unsigned char)*text < 32 || (unsigned char)*text > 126) fprintf(to, "\\u%04x", (unsigned char)*text);
    else putc(*text, to);
  }
  putc('"', to);
}

/* The value of a header of this answer; its length is 0 when there is none. `name`: with line feed before and colon behind it. */
static const char *header(Conn *conn, const char *name, size_t *length) {
  const char *end = conn->head + conn->head_length;
  const char *at = memmem(conn->head, conn->head_length, name, strlen(name));
  *length = 0;
  if (at == NULL) return "";
  for (at += strlen(name); at < end && *at == ' ';) at++;
  while (at + *length < end && at[*length] != '\r') ++*length;
  return at;
}

/* A turn fails once, for the first thing that is wrong with it. */
static void fail(Conn *conn, const char *what, const char *bytes, size_t length) {
  if (conn->failed) return;
  conn->failed = 1;
  if (++errors > MOST_TOLD) return;
  if (length > 400) length = 400;
  size_t id_length;
  const char *id = header(conn, "\nx-understudy-turn:", &id_length);
  fprintf(stderr, "{\"turn\":");
  put_text(stderr, id, id_length);
  fprintf(stderr, ",\"afterMs\":%.1f,\"wasAt\":%.2f,\"what\":", (double)(now_ns() - conn->started) / 1e6,
          (double)(conn->started - started_ns) / 1e9);
  put_text(stderr, what, strlen(what));
  fprintf(stderr, ",\"status\":%d,\"bodyBytes\":%zu,\"saw\":", conn->in_body ? conn->status : 0, conn->seen);
  put_text(stderr, bytes, length);
  fprintf(stderr, "}\n");
  if (first_error[0] != 0) return;
  snprintf(first_error, sizeof first_error, "%s (status %d, body byte %zu): %.*s", what, conn->status, conn->seen,
           (int)(length > 200 ? 200 : length), bytes);
}

/* Nobody waits for it: a server under load takes one connection per round of its event loop, and all others are to go on meanwhile. */
static void open_conn(Conn *conn) {
  conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (conn->fd < 0 || (connect(conn->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)) {
    perror("connect");
    exit(1);
  }
  int one = 1;
  setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
  epoll_ctl(ep, EPOLL_CTL_ADD, conn->fd, &event);
  conn->busy = 0;
  conn->watches_out = 0;
}

static void watch_out(Conn *conn, int wanted) {
  if (conn->watches_out == wanted) return;
  struct epoll_event event = {.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = conn};
  epoll_ctl(ep, EPOLL_CTL_MOD, conn->fd, &event);
  conn->watches_out = wanted;
}

static void flush_out(Conn *conn) {
  while (conn->left > 0) {
    ssize_t sent = send(conn->fd, conn->out, conn->left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      /* Any other error is told by reading. */
      watch_out(conn, errno == EAGAIN);
      return;
    }
    conn->out += sent;
    conn->left -= (size_t)sent;
  }
  watch_out(conn, 0);
}

/* By the clock a connection is opened when it is needed: one that stays unused is refused by a server that minds. */
static void reopen(Conn *conn) {
  close(conn->fd);
  conn->fd = -1;
  if (rate == 0) open_conn(conn);
}

static void ask(Conn *conn, uint64_t started) {
  /* A server says how long it keeps one that is not used (65 s, say): whoever asks just then meets its end. */
  if (conn->fd >= 0 && conn->ended > 0 && now_ns() - conn->ended > 50000000000u) reopen(conn);
  if (conn->fd < 0) open_conn(conn);
  conn->busy = 1;
  conn->started = started;
  conn->first_byte = 0;
  conn->head_length = 0;
  conn->in_body = 0;
  conn->seen = 0;
  conn->failed = 0;
  conn->said_length = 0;
  conn->in_comment = 0;
  conn->chunk = -1;
  conn->line_length = 0;
  conn->out = request;
  conn->left = request_length;
  flush_out(conn);
}

static uint32_t tenths(uint64_t ns) {
  uint64_t value = ns / 100;
  return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int is_measured(uint64_t now) { return now >= begin_ns && now < end_ns; }

/* True where the next byte of this stream begins an event, or the stream is over. */
static int is_between_events(Conn *conn) {
  return conn->is_stream && (conn->seen == 0 || (conn->seen >= 2 && expected[conn->seen - 1] == '\n' && expected[conn->seen - 2] == '\n'));
}

/* How many of these bytes belong to comments; the first of them is the first that counts. */
static size_t pass_comments(Conn *conn, const char *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    if (!conn->in_comment) {
      if (bytes[at] != ':' || !is_between_events(conn) || (conn->seen < expected_length && expected[conn->seen] == ':')) break;
      conn->in_comment = 1;
      conn->comment_byte = 0;
      comments++;
    }
    if (bytes[at] == '\n' && conn->comment_byte == '\n') conn->in_comment = 0;
    conn->comment_byte = bytes[at++];
  }
  return at;
}

static void check_text(Conn *conn, const char *bytes, size_t length);

static void check_bytes(Conn *conn, const char *bytes, size_t length) {
  if (conn->status != 200) {
    size_t room = sizeof conn->said - conn->said_length;
    size_t copied = length < room ? length : room;
    memcpy(conn->said + conn->said_length, bytes, copied);
    conn->said_length += copied;
    conn->seen += length;
    return;
  }
  if (!conn->is_stream || marker != NULL) {
    check_text(conn, bytes, length);
    return;
  }
  if (!conn->in_comment && conn->seen + length <= expected_length && memcmp(expected + conn->seen, bytes, length) == 0) {
    conn->seen += length;
    return;
  }
  while (length > 0) {
    size_t passed = pass_comments(conn, bytes, length);
    bytes += passed;
    length -= passed;
    /* Up to the end of this event: behind it there may be a comment. */
    size_t from = conn->seen > 0 ? conn->seen - 1 : 0, part = length;
    const char *end = from < expected_length ? memmem(expected + from, expected_length - from, "\n\n", 2) : NULL;
    if (end != NULL && (size_t)(end + 2 - expected) - conn->seen < part) part = (size_t)(end + 2 - expected) - conn->seen;
    if (part > 0) check_text(conn, bytes, part);
    bytes += part;
    length -= part;
  }
}

static void check_text(Conn *conn, const char *bytes, size_t length) {
  if (marker != NULL) {
    if (conn->kept == NULL) conn->kept = malloc(1 << 20);
    size_t room = (1 << 20) - (conn->seen > (1 << 20) ? (1 << 20) : conn->seen);
    memcpy(conn->kept + conn->seen, bytes, length < room ? length : room);
    conn->seen += length;
    return;
  }
  if (conn->seen + length > expected_length) {
    fail(conn, "the body is longer than expected", bytes, length);
    conn->seen += length;
    return;
  }
  const char *wanted = expected + conn->seen;
  if (memchr(wanted, '@', length) == NULL) {
    if (memcmp(wanted, bytes, length) != 0) fail(conn, "the body differs", bytes, length);
    conn->seen += length;
    return;
  }
  for (size_t i = 0; i < length; i++) {
    if (wanted[i] != '@') {
      if (wanted[i] != bytes[i]) {
        fail(conn, "the body differs", bytes + i, length - i);
        break;
      }
      continue;
    }
    conn->stamp = conn->stamp * 10 + (uint64_t)(bytes[i] - '0');
    if (conn->seen + i + 1 < expected_length && wanted[i + 1] == '@') continue;
    uint64_t now = now_ns();
    if (is_measured(now) && delay_count < MAX_SAMPLES) delays[delay_count++] = tenths(now % 10000000000000000u - conn->stamp);
    conn->stamp = 0;
  }
  conn->seen += length;
}

/* What was due by the clock before the time was over is still sent. */
static void next(Conn *conn) {
  if (rate > 0 && queue_head != queue_tail) ask(conn, queue[queue_head++ % 65536]);
  else if (rate == 0 && !stopping) ask(conn, now_ns());
}

static void complete(Conn *conn) {
  uint64_t now = conn->ended = now_ns();
  conn->busy = 0;
  total++;
  if (conn->status != 200) fail(conn, "the status is wrong", conn->said, conn->said_length);
  else if (conn->in_comment) fail(conn, "the body ends in the middle of a comment", "", 0);
  else if (marker == NULL && conn->seen != expected_length) fail(conn, "the body is shorter than expected", "", 0);
  else if (marker != NULL && (conn->kept == NULL || memmem(conn->kept, conn->seen, marker, strlen(marker)) == NULL))
    fail(conn, "the marker is not in the body", conn->kept == NULL ? "" : conn->kept, conn->seen);
  if (is_measured(now)) {
    measured++;
    measured_bytes += conn->seen;
    if (latency_count < MAX_SAMPLES) {
      firsts[latency_count] = tenths(conn->first_byte - conn->started);
      latencies[latency_count++] = tenths(now - conn->started);
    }
  }
  size_t second = (size_t)((now - started_ns) / 1000000000u);
  if (second < sizeof per_second / sizeof *per_second) {
    per_second[second]++;
    last_second = (int)second;
  }
  next(conn);
}

/* True when the body is complete. */
static int read_chunked(Conn *conn, const char *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    if (conn->chunk > 0) {
      size_t take = length - at < (size_t)conn->chunk ? length - at : (size_t)conn->chunk;
      check_bytes(conn, bytes + at, take);
      conn->chunk -= (long)take;
      at += take;
      if (conn->chunk == 0) conn->chunk = -2;
      continue;
    }
    char byte = bytes[at++];
    if (byte != '\n') {
      if (conn->line_length < 63) conn->line[conn->line_length++] = byte;
      continue;
    }
    conn->line[conn->line_length] = 0;
    int empty = conn->line_length == 0 || (conn->line_length == 1 && conn->line[0] == '\r');
    conn->line_length = 0;
    if (conn->chunk == -2) conn->chunk = -1;
    else if (conn->chunk == -1) {
      conn->chunk = strtol(conn->line, NULL, 16);
      if (conn->chunk == 0) conn->chunk = -3;
    } else if (empty) return 1;
  }
  return 0;
}

static void read_head(Conn *conn) {
  conn->head[conn->head_length] = 0;
  conn->status = atoi(conn->head + 9);
  const char *length = strcasestr(conn->head, "\r\ncontent-length:");
  const char *coded = strcasestr(conn->head, "\r\ntransfer-encoding: chunked");
  conn->is_stream = strcasestr(conn->head, "\r\ncontent-type: text/event-stream") != NULL;
  conn->chunked = coded != NULL;
  conn->length = length == NULL ? -1 : atol(length + 17);
  conn->in_body = 1;
}

static void take(Conn *conn, const char *bytes, size_t length) {
  if (!conn->busy) {
    fail(conn, "bytes that nobody asked for", bytes, length);
    return;
  }
  if (conn->first_byte == 0) conn->first_byte = now_ns();
  if (!conn->in_body) {
    size_t before = conn->head_length;
    size_t room = sizeof conn->head - 1 - before;
    size_t copied = length < room ? length : room;
    memcpy(conn->head + before, bytes, copied);
    conn->head_length += copied;
    char *end = memmem(conn->head, conn->head_length, "\r\n\r\n", 4);
    if (end == NULL) return;
    conn->head_length = (size_t)(end - conn->head) + 4;
    read_head(conn);
    size_t used = conn->head_length - before;
    bytes += used;
    length -= used;
  }
  if (conn->chunked) {
    if (read_chunked(conn, bytes, length)) complete(conn);
    return;
  }
  if (length > 0) check_bytes(conn, bytes, length);
  if (conn->length >= 0 && conn->seen >= (size_t)conn->length) complete(conn);
}

static void closed(Conn *conn) {
  if (conn->busy && conn->in_body && !conn->chunked && conn->length < 0) {
    complete(conn);
    conn->busy = 0;
  } else if (conn->busy) {
    fail(conn, "the connection was closed", conn->head, conn->head_length);
    conn->busy = 0;
  }
  reopen(conn);
  next(conn);
}

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static void tell(const char *name, uint32_t *samples, size_t count) {
  qsort(samples, count, sizeof *samples, by_size);
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += samples[i];
  printf(",\"%s\":{\"count\":%zu", name, count);
  if (count > 0) {
    printf(",\"mean\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"max\":%.1f", sum / (double)count / 10, samples[count / 2] / 10.0,
           samples[count * 9 / 10] / 10.0, samples[count * 99 / 100] / 10.0, samples[count - 1] / 10.0);
  }
  printf("}");
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const char *path = "/", *body_file = NULL, *expect_file = NULL;
  char headers[4096] = "";
  long ms = 1000, warm_ms = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const char *name = argv[i], *value = argv[i + 1];
    if (strcmp(name, "--port") == 0) port = atoi(value);
    else if (strcmp(name, "--path") == 0) path = value;
    else if (strcmp(name, "--body") == 0) body_file = value;
    else if (strcmp(name, "--expect") == 0) expect_file = value;
    else if (strcmp(name, "--marker") == 0) marker = value;
    else if (strcmp(name, "--conns") == 0) conn_count = atoi(value);
    else if (strcmp(name, "--ms") == 0) ms = atol(value);
    else if (strcmp(name, "--warm-ms") == 0) warm_ms = atol(value);
    else if (strcmp(name, "--rate") == 0) rate = atol(value);
    else if (strcmp(name, "--grace-ms") == 0) grace_ms = atol(value);
    else if (strcmp(name, "--abort-us") == 0) abort_ns = (uint64_t)atol(value) * 1000;
    else if (strcmp(name, "--header") == 0) {
      strcat(headers, value);
      strcat(headers, "\r\n");
    } else return 2;
  }
  if (port == 0 || body_file == NULL || (expect_file == NULL && marker == NULL) || conn_count > MAX_CONNS) return 2;
  size_t body_length;
  char *body = slurp(body_file, &body_length);
  if (expect_file != NULL) expected = slurp(expect_file, &expected_length);
  request = malloc(body_length + 8192);
  int head = sprintf(request, "POST %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n%scontent-type: application/json\r\naccept: */*\r\ncontent-length: %zu\r\n\r\n",
                     path, port, headers, body_length);
  memcpy(request + head, body, body_length);
  request_length = (size_t)head + body_length;
  latencies = malloc(sizeof(uint32_t) * MAX_SAMPLES);
  firsts = malloc(sizeof(uint32_t) * MAX_SAMPLES);
  delays = malloc(sizeof(uint32_t) * MAX_SAMPLES);
  conns = calloc((size_t)conn_count, sizeof *conns);
  ep = epoll_create1(0);
  for (int i = 0; i < conn_count; i++) {
    conns[i].fd = -1;
    if (rate == 0) open_conn(&conns[i]);
  }

  uint64_t started = started_ns = now_ns();
  begin_ns = started + (uint64_t)warm_ms * 1000000u;
  end_ns = begin_ns + (uint64_t)ms * 1000000u;
  uint64_t give_up = end_ns + (abort_ns > 0 ? 0 : (uint64_t)grace_ms * 1000000u);
  uint64_t due = started, step = rate > 0 ? 1000000000u / (uint64_t)rate : 0;
  if (rate == 0) for (int i = 0; i < conn_count; i++) ask(&conns[i], now_ns());

  static struct epoll_event events[512];
  static char bytes[1 << 18];
  for (;;) {
    uint64_t now = now_ns();
    if (now >= end_ns) stopping = 1;
    if (now >= give_up) break;
    if (stopping) {
      int busy = 0;
      for (int i = 0; i < conn_count; i++) busy += conns[i].busy;
      if (busy == 0 && queue_head == queue_tail) break;
    }
    int wait_ms = 5;
    if (rate > 0 && !stopping) {
      while (due <= now) {
        Conn *idle = NULL;
        for (int i = 0; i < conn_count && idle == NULL; i++) if (!conns[i].busy) idle = &conns[i];
        if (idle != NULL) ask(idle, due);
        else if (queue_tail - queue_head < 65536) queue[queue_tail++ % 65536] = due;
        else {
          unsent++;
          if (first_error[0] == 0) snprintf(first_error, sizeof first_error, "too many requests wait to be sent: it can't keep up");
        }
        due += step;
      }
      if (queue_tail - queue_head > most_waiting) most_waiting = queue_tail - queue_head;
      struct timespec timeout = {.tv_nsec = (long)(due - now_ns() > step ? 0 : due - now_ns())};
      int ready = epoll_pwait2(ep, events, 512, &timeout, NULL);
      if (ready < 0) ready = 0;
      wait_ms = -ready - 1;
    }
    if (abort_ns > 0) wait_ms = 1;
    int ready = wait_ms < 0 ? -wait_ms - 1 : epoll_wait(ep, events, 512, wait_ms);
    for (int i = 0; i < ready; i++) {
      Conn *conn = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush_out(conn);
      if (!(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      ssize_t got = recv(conn->fd, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got > 0) take(conn, bytes, (size_t)got);
      else if (got == 0 || errno != EAGAIN) closed(conn);
    }
    if (abort_ns == 0) continue;
    now = now_ns();
    for (int i = 0; i < conn_count && !stopping; i++) {
      Conn *conn = &conns[i];
      if (!conn->busy || conn->first_byte == 0 || now - conn->first_byte < abort_ns) continue;
      aborts++;
      reopen(conn);
      ask(conn, now);
    }
  }
  if (abort_ns == 0) {
    for (int i = 0; i < conn_count; i++)
      if (conns[i].busy) fail(&conns[i], "the answer did not end in time", conns[i].head, conns[i].head_length);
  }
  unsent += (long)(queue_tail - queue_head);
  errors += unsent;
  uint64_t closed_at = now_ns();
  for (int i = 0; i < conn_count; i++) if (conns[i].fd >= 0) close(conns[i].fd);
  printf("{\"seconds\":%.4f,\"total\":%ld,\"requests\":%ld,\"errors\":%ld,\"aborts\":%ld,\"bytes\":%llu,\"closedAtNs\":%llu", (double)ms / 1000,
         total, measured, errors, aborts, (unsigned long long)measured_bytes, (unsigned long long)closed_at);
  tell("latencyUs", latencies, latency_count);
  tell("firstByteUs", firsts, latency_count);
  tell("eventDelayUs", delays, delay_count);
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu_ms = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
  printf(",\"cpuMs\":%.1f,\"unsent\":%ld,\"mostWaiting\":%zu,\"comments\":%ld,\"perSecond\":[", cpu_ms, unsent, most_waiting, comments);
  for (int i = 0; i <= last_second; i++) printf("%s%u", i > 0 ? "," : "", per_second[i]);
  printf("],\"firstError\":");
  put_text(stdout, first_error, strlen(first_error));
  printf("}\n");
  return 0;
}
