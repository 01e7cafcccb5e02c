/*
 * The scripted provider of the benchmark: one thread, epoll, answers made beforehand. C, since on one shared core every
 * microsecond that a provider costs is added to each target alike and would make all ratios look better than they are.
 *
 *   upstream PORT ANSWERS
 *
 * ANSWERS has a line per model (`"model":"NAME"` in the request's body):
 *
 *   NAME raw FILE                 the whole HTTP answer, at once
 *   NAME every N FILE OTHER       FILE, but OTHER for every Nth request
 *   NAME paced MICROSECONDS FILE  the parts of FILE between bytes 0x1e, one each MICROSECONDS; 16 times '@' in a part is
 *                                 replaced by the time at which it is sent (CLOCK_MONOTONIC, ns)
 *   NAME timed FILE MS THEN OTHER ...  FILE, but OTHER for the first request after each MS milliseconds, and then: `keep` the
 *                                 connection, `close` it, or be `silent` on it until the client leaves; several of these three.
 *                                 Nobody asks for a second or longer: these clocks stand still, or all would be due at once afterwards
 *
 * GET /stats tells what was seen, and how often each OTHER of a timed answer was given; GET /reset starts counting anew. Of the first requests
 * after that it tells how many different bodies they had, the model's name left out, and with how many keys of which kind they came.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FD = 8192, MAX_SAMPLES = 1 << 18, MAX_FAULTS = 16, LOOKED_AT = 256, MAX_KINDS = 16 };

typedef struct {
  char *bytes;
  size_t length;
} Text;

typedef enum { KEEP, CLOSE, SILENT } Then;

typedef struct {
  uint64_t step, due; /* ns */
  Then then;
  Text text;
  unsigned long dealt;
} Fault;

typedef struct {
  char name[64];
  enum { RAW, EVERY, PACED, TIMED } kind;
  long number; /* N of EVERY, microseconds of PACED */
  Text text, other;
  size_t *ends; /* of the parts of a paced answer */
  int parts;
  unsigned long asked;
  Fault *faults; /* of a timed answer */
  uint64_t asked_at;
  int fault_count;
} Answer;

typedef struct {
  int fd;
  char *in;
  size_t have, room;
  size_t body; /* where the body begins; 0: the head is not complete */
  long wanted; /* bytes of the body; -1: chunked */
  const char *out;
  size_t left;
  Answer *paced;
  int part;
  uint64_t due; /* ns */
  int answering;
  Then then; /* when the answer is sent */
} Conn;

static Conn *conns[MAX_FD];
static int pacing[MAX_FD], paced_count;
static Answer answers[64];
static int answer_count, ep;
static unsigned long requests, aborted, strange;
static int open_conns, answering;
/* From the sending of an OTHER until the next request comes in: what a hand-over costs, wire included. */
static uint64_t refused_at, hand_overs[MAX_SAMPLES];
static size_t hand_over_count;
/* Hashes of the bodies and of the keys of the first LOOKED_AT requests. */
static uint64_t bodies[MAX_KINDS], keys[MAX_KINDS];
static int looked_at, body_kinds, key_kinds;
static unsigned long keyed;
/* When the last connection was closed in the middle of an answer. */
static uint64_t last_abort;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static Text slurp(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  Text text = {.length = (size_t)ftell(file)};
  rewind(file);
  text.bytes = malloc(text.length + 1);
  if (fread(text.bytes, 1, text.length, file) != text.length) exit(1);
  fclose(file);
  return text;
}

static void split(Answer *answer) {
  answer->ends = malloc(sizeof(size_t) * (answer->text.length + 1));
  size_t kept = 0;
  for (size_t i = 0; i < answer->text.length; i++) {
    if (answer->text.bytes[i] == 0x1e) answer->ends[answer->parts++] = kept;
    else answer->text.bytes[kept++] = answer->text.bytes[i];
  }
  answer->ends[answer->parts++] = kept;
}

/* The faults of a timed answer: `words` is what follows its FILE. */
static void read_faults(Answer *answer, char *words) {
  answer->faults = calloc(MAX_FAULTS, sizeof(Fault));
  char *rest = words, *ms;
  while ((ms = strtok_r(NULL, " \n", &rest)) != NULL && answer->fault_count < MAX_FAULTS) {
    char *then = strtok_r(NULL, " \n", &rest), *file = strtok_r(NULL, " \n", &rest);
    if (then == NULL || file == NULL) exit(2);
    Fault *fault = &answer->faults[answer->fault_count++];
    fault->step = (uint64_t)atol(ms) * 1000000u;
    fault->due = now_ns() + fault->step;
    fault->then = strcmp(then, "close") == 0 ? CLOSE : strcmp(then, "silent") == 0 ? SILENT : KEEP;
    fault->text = slurp(file);
  }
}

/* The fault whose time has come; NULL for none. */
static Fault *take_fault(Answer *answer) {
  uint64_t now = now_ns(), pause = answer->asked_at == 0 ? 0 : now - answer->asked_at;
  if (answer->asked_at == 0) for (int i = 0; i < answer->fault_count; i++) answer->faults[i].due = now + answer->faults[i].step;
  answer->asked_at = now;
  if (pause > 1000000000u) for (int i = 0; i < answer->fault_count; i++) answer->faults[i].due += pause;
  for (int i = 0; i < answer->fault_count; i++) {
    Fault *fault = &answer->faults[i];
    if (fault->due > now) continue;
    fault->due = now + fault->step;
    fault->dealt++;
    return fault;
  }
  return NULL;
}

static void read_answers(const char *path) {
  FILE *file = fopen(path, "r");
  char line[4096], kind[16], first[1024], second[1024], third[1024];
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  while (fgets(line, sizeof line, file) != NULL) {
    Answer *answer = &answers[answer_count];
    int fields = sscanf(line, "%63s %15s %1023s %1023s %1023s", answer->name, kind, first, second, third);
    if (fields < 3) continue;
    if (strcmp(kind, "raw") == 0) {
      answer->kind = RAW;
      answer->text = slurp(first);
    } else if (strcmp(kind, "every") == 0) {
      answer->kind = EVERY;
      answer->number = atol(first);
      answer->text = slurp(second);
      answer->other = slurp(third);
    } else if (strcmp(kind, "timed") == 0) {
      answer->kind = TIMED;
      answer->text = slurp(first);
      read_faults(answer, strstr(line, first) + strlen(first));
    } else {
      answer->kind = PACED;
      answer->number = atol(first);
      answer->text = slurp(second);
      split(answer);
    }
    answer_count++;
  }
  fclose(file);
}

static void stop_pacing(Conn *conn) {
  if (conn->paced == NULL) return;
  conn->paced = NULL;
  for (int i = 0; i < paced_count; i++) {
    if (pacing[i] == conn->fd) {
      pacing[i] = pacing[--paced_count];
      return;
    }
  }
}

static void close_conn(Conn *conn) {
  if (conn->answering) {
    aborted++;
    answering--;
    last_abort = now_ns();
  }
  stop_pacing(conn);
  conns[conn->fd] = NULL;
  close(conn->fd);
  free(conn->in);
  free(conn);
  open_conns--;
}

static void watch(Conn *conn, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = conn->fd};
  epoll_ctl(ep, EPOLL_CTL_MOD, conn->fd, &event);
}

/* False when the connection is gone. */
static int flush_out(Conn *conn) {
  while (conn->left > 0) {
    ssize_t sent = send(conn->fd, conn->out, conn->left, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) {
        watch(conn, EPOLLIN | EPOLLOUT);
        return 1;
      }
      close_conn(conn);
      return 0;
    }
    conn->out += sent;
    conn->left -= (size_t)sent;
  }
  if (conn->paced == NULL && conn->answering && conn->then != SILENT) {
    conn->answering = 0;
    answering--;
    if (conn->then == CLOSE) {
      close_conn(conn);
      return 0;
    }
  }
  return 1;
}

static int by_size(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static double micros(double share) {
  return hand_over_count == 0 ? 0 : (double)hand_overs[(size_t)(share * (double)(hand_over_count - 1))] / 1000;
}

static void tell_stats(Conn *conn, int reset) {
  char body[4096], answer[4352], dealt[2048] = "";
  for (int i = 0; i < answer_count; i++) {
    if (answers[i].kind != TIMED) continue;
    size_t at = strlen(dealt);
    at += (size_t)snprintf(dealt + at, sizeof dealt - at, "%s\"%.60s\":[", at > 0 ? "," : "", answers[i].name);
    for (int k = 0; k < answers[i].fault_count && at < sizeof dealt; k++)
      at += (size_t)snprintf(dealt + at, sizeof dealt - at, "%s%lu", k > 0 ? "," : "", answers[i].faults[k].dealt);
    if (at < sizeof dealt) snprintf(dealt + at, sizeof dealt - at, "]");
  }
  qsort(hand_overs, hand_over_count, sizeof(uint64_t), by_size);
  int length = snprintf(body, sizeof body,
                        "{\"requests\":%lu,\"aborted\":%lu,\"strange\":%lu,\"open\":%d,\"answering\":%d,\"lastAbortNs\":%llu,"
                        "\"nowNs\":%llu,\"handOvers\":%zu,\"handOverP50Us\":%.1f,\"handOverP99Us\":%.1f,"
                        "\"lookedAt\":%d,\"bodies\":%d,\"firstBody\":\"%016llx\",\"keys\":%d,\"keyed\":%lu,\"dealt\":{%s}}",
                        requests, aborted, strange, open_conns - 1, answering, (unsigned long long)last_abort,
                        (unsigned long long)now_ns(), hand_over_count, micros(0.5), micros(0.99), looked_at, body_kinds,
                        (unsigned long long)(body_kinds > 0 ? bodies[0] : 0), key_kinds, keyed, dealt);
  int total = snprintf(answer, sizeof answer,
                       "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", length, body);
  if (send(conn->fd, answer, (size_t)total, MSG_NOSIGNAL) < 0) strange++;
  if (reset) {
    requests = aborted = strange = 0;
    looked_at = body_kinds = key_kinds = 0;
    keyed = 0;
    hand_over_count = 0;
    refused_at = last_abort = 0;
    for (int i = 0; i < answer_count; i++) {
      answers[i].asked = 0;
      for (int k = 0; k < answers[i].fault_count; k++) answers[i].faults[k].dealt = 0;
    }
  }
}

static Answer *find_answer(const char *body, size_t length) {
  static const char mark[] = "\"model\":";
  const char *at = memmem(body, length, mark, sizeof mark - 1);
  if (at == NULL) return NULL;
  at += sizeof mark - 1;
  while (at < body + length && *at == ' ') at++;
  if (*at != '"') return NULL;
  at++;
  for (int i = 0; i < answer_count; i++) {
    size_t size = strlen(answers[i].name);
    if (at + size < body + length && memcmp(at, answers[i].name, size) == 0 && at[size] == '"') return &answers[i];
  }
  return NULL;
}

static uint64_t hash(const char *bytes, size_t length) {
  uint64_t sum = 14695981039346656037u;
  for (size_t i = 0; i < length; i++) sum = (sum ^ (unsigned char)bytes[i]) * 1099511628211u;
  return sum;
}

static void note(uint64_t *kinds, int *count, uint64_t one) {
  for (int i = 0; i < *count; i++) if (kinds[i] == one) return;
  if (*count < MAX_KINDS) kinds[(*count)++] = one;
}

/* What came of a request: its body but for the model's name, which a gateway changes, and its key. */
static void look_at(const char *head, size_t head_length, const char *body, size_t length) {
  static const char mark[] = "\"model\":\"", key[] = "\r\nauthorization: bearer ", ours[] = "sk-bench-key-number-";
  looked_at++;
  const char *at = memmem(body, length, mark, sizeof mark - 1);
  const char *end = at == NULL ? NULL : memchr(at + sizeof mark - 1, '"', length - (size_t)(at + sizeof mark - 1 - body));
  if (end != NULL) note(bodies, &body_kinds, hash(body, (size_t)(at - body) + sizeof mark - 1) ^ hash(end, length - (size_t)(end - body)));
  for (const char *line = head; line + sizeof key - 1 < head + head_length; line++) {
    if (*line != '\r' || strncasecmp(line, key, sizeof key - 1) != 0) continue;
    const char *value = line + sizeof key - 1, *last = memchr(value, '\r', (size_t)(head + head_length - value));
    if (last == NULL) return;
    note(keys, &key_kinds, hash(value, (size_t)(last - value)));
    if (strncmp(value, ours, sizeof ours - 1) == 0) keyed++;
    return;
  }
}

static void send_part(Conn *conn) {
  Answer *answer = conn->paced;
  size_t from = conn->part == 0 ? 0 : answer->ends[conn->part - 1];
  size_t length = answer->ends[conn->part] - from;
  static char part[1 << 20];
  if (length > sizeof part) exit(1);
  memcpy(part, answer->text.bytes + from, length);
  char *at = memmem(part, length, "@@@@@@@@@@@@@@@@", 16);
  if (at != NULL) {
    char digits[32];
    snprintf(digits, sizeof digits, "%016llu", (unsigned long long)(now_ns() % 10000000000000000u));
    memcpy(at, digits, 16);
  }
  /* Parts are small: a reader that does not take them is not what a paced answer measures. */
  ssize_t sent = send(conn->fd, part, length, MSG_NOSIGNAL);
  if (sent != (ssize_t)length) {
    close_conn(conn);
    return;
  }
  if (++conn->part == answer->parts) {
    stop_pacing(conn);
    conn->answering = 0;
    answering--;
  }
}

/* False when the connection is gone. */
static int answer_request(Conn *conn, const char *body, size_t length) {
  requests++;
  if (looked_at < LOOKED_AT) look_at(conn->in, conn->body, body, length);
  if (refused_at != 0) {
    if (hand_over_count < MAX_SAMPLES) hand_overs[hand_over_count++] = now_ns() - refused_at;
    refused_at = 0;
  }
  Answer *answer = find_answer(body, length);
  if (answer == NULL) {
    static const char none[] = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    strange++;
    return send(conn->fd, none, sizeof none - 1, MSG_NOSIGNAL) > 0;
  }
  conn->answering = 1;
  answering++;
  answer->asked++;
  conn->then = KEEP;
  if (answer->kind == PACED) {
    conn->paced = answer;
    conn->part = 0;
    conn->due = now_ns();
    pacing[paced_count++] = conn->fd;
    send_part(conn);
    if (conns[conn->fd] != conn) return 0;
    conn->due += (uint64_t)answer->number * 1000;
    return 1;
  }
  Fault *fault = answer->kind == TIMED ? take_fault(answer) : NULL;
  if (fault != NULL) {
    conn->then = fault->then;
    conn->out = fault->text.bytes;
    conn->left = fault->text.length;
    return flush_out(conn);
  }
  int other = answer->kind == EVERY && answer->asked % (unsigned long)answer->number == 0;
  conn->out = other ? answer->other.bytes : answer->text.bytes;
  conn->left = other ? answer->other.length : answer->text.length;
  int alive = flush_out(conn);
  if (other) refused_at = now_ns();
  return alive;
}

/* Bytes of a chunked body up to its end; 0 when it is not there yet. Trailers are not expected. */
static size_t chunked_end(const char *body, size_t length) {
  size_t at = 0;
  for (;;) {
    const char *line = memmem(body + at, length - at, "\r\n", 2);
    if (line == NULL) return 0;
    size_t size = strtoul(body + at, NULL, 16);
    size_t next = (size_t)(line - body) + 2 + size + 2;
    if (next > length) return 0;
    if (size == 0) return next;
    at = next;
  }
}

static void read_requests(Conn *conn) {
  for (;;) {
    if (conn->room - conn->have < 65536) {
      conn->room = conn->room * 2 + 131072;
      conn->in = realloc(conn->in, conn->room);
    }
    ssize_t got = recv(conn->fd, conn->in + conn->have, conn->room - conn->have - 1, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      close_conn(conn);
      return;
    }
    conn->have += (size_t)got;
    while (conn->have > 0) {
      if (conn->body == 0) {
        char *end = memmem(conn->in, conn->have, "\r\n\r\n", 4);
        if (end == NULL) break;
        conn->body = (size_t)(end - conn->in) + 4;
        *end = 0;
        const char *length = strcasestr(conn->in, "\r\ncontent-length:");
        const char *coded = strcasestr(conn->in, "\r\ntransfer-encoding:");
        *end = '\r';
        conn->wanted = length != NULL ? atol(length + 17) : coded != NULL ? -1 : 0;
      }
      size_t rest = conn->have - conn->body;
      size_t size = conn->wanted >= 0 ? (size_t)conn->wanted : chunked_end(conn->in + conn->body, rest);
      if (rest < size || (conn->wanted < 0 && size == 0)) break;
      if (memcmp(conn->in, "GET ", 4) == 0) tell_stats(conn, memcmp(conn->in, "GET /reset", 10) == 0);
      else if (!answer_request(conn, conn->in + conn->body, size)) return;
      size_t used = conn->body + size;
      memmove(conn->in, conn->in + used, conn->have - used);
      conn->have -= used;
      conn->body = 0;
    }
  }
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= MAX_FD) {
      close(fd);
      continue;
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Conn *conn = calloc(1, sizeof *conn);
    conn->fd = fd;
    conns[fd] = conn;
    open_conns++;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  read_answers(argv[2]);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 2048) != 0) {
    perror("listen");
    return 1;
  }
  socklen_t size = sizeof address;
  getsockname(listener, (struct sockaddr *)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  ep = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(ep, EPOLL_CTL_ADD, listener, &event);
  static struct epoll_event events[512];
  for (;;) {
    int ready = epoll_wait(ep, events, 512, paced_count > 0 ? 1 : -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(listener);
        continue;
      }
      Conn *conn = conns[fd];
      if (conn == NULL) continue;
      if (events[i].events & EPOLLOUT) {
        watch(conn, EPOLLIN);
        if (!flush_out(conn)) continue;
      }
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_requests(conn);
    }
    if (paced_count == 0) continue;
    uint64_t now = now_ns();
    for (int i = paced_count - 1; i >= 0; i--) {
      Conn *conn = i < paced_count ? conns[pacing[i]] : NULL;
      if (conn == NULL || conn->paced == NULL || conn->due > now) continue;
      conn->due += (uint64_t)conn->paced->number * 1000;
      send_part(conn);
    }
  }
}
