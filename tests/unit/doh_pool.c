// SPDX-License-Identifier: MIT
/* The whole room over real sockets and real TLS, through its public header. */
#include "doh/parts.h"
#include "tests/unit/doh_world.h"

/* --- what works ------------------------------------------------------------------------------ */

static void post_and_get(void **state)
{
    (void)state;
    for (unsigned get = 0; get < 2; get++) {
        struct world w;
        struct question q;
        world_init(&w, 1);
        w.upstream[0].get = get;
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
        assert_int_equal(q.upstream, 0);
        assert_int_equal(q.sent, 1);
        assert_int_equal(w.server[0].gets, get);
        assert_int_equal(w.server[0].posts, 1 - get);
        assert_int_equal(w.warnings, 0);
        world_close(&w);
    }
}

static void a_hundred_share_one_connection(void **state)
{
    (void)state;
    static struct question q[100];
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    for (unsigned i = 0; i < COUNT(q); i++) {
        run_until(&w, &q[i].done, 1);
        assert_int_equal(q[i].err, DOH_OK);
    }
    assert_int_equal(w.server[0].connections, 1);
    assert_int_equal(w.server[0].requests, 100);
    world_close(&w);
}

static void one_turn_is_one_send(void **state)
{
    (void)state;
    struct question q[10];
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &q[0], "warm.test");
    w.server[0].batches = 0;
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    for (unsigned i = 0; i < COUNT(q); i++)
        run_until(&w, &q[i].done, 1);
    assert_int_equal(w.server[0].requests, 11);
    assert_int_equal(w.server[0].batches, 1);
    world_close(&w);
}

static void speculative_questions_go_behind(void **state)
{
    (void)state;
    struct question q[4];
    struct world w;
    struct doh_request later = {.route = DOH_ROUTE_DEFAULT, .speculative = true};
    world_init(&w, 1);
    world_start(&w);
    ask_how(&w, &q[0], "x.test", later, on_done);
    ask(&w, &q[1], "a.test");
    ask_how(&w, &q[2], "y.test", later, on_done);
    ask(&w, &q[3], "b.test");
    for (unsigned i = 0; i < COUNT(q); i++)
        run_until(&w, &q[i].done, 1);
    assert_string_equal(w.server[0].order, "abxy");
    world_close(&w);
}

/* Nor do they take the room of those that are asked for. */
static void speculative_questions_fill_half_of_the_room(void **state)
{
    (void)state;
    struct question guess[2], asked[2], more;
    struct world w;
    uint8_t wire[512];
    struct dns_question question = question_for("one.more.test");
    struct dns_opt_out opt = {.udp_size = 4096};
    struct doh_request how = {.question = &question,
                              .wire = wire,
                              .len = dns_query_write(wire, sizeof wire, 0, &question, 0, &opt),
                              .route = DOH_ROUTE_DEFAULT,
                              .deadline_ms = 1000,
                              .speculative = true};
    world_init(&w, 1);
    w.config.waiting_max = 4;
    world_start(&w);
    for (unsigned i = 0; i < 2; i++)
        ask_how(&w, &guess[i], "guess.test",
                (struct doh_request){.route = DOH_ROUTE_DEFAULT, .speculative = true}, on_done);
    assert_null(doh_fetch_start(w.pool, &how, on_done, &more));
    for (unsigned i = 0; i < 2; i++)
        ask(&w, &asked[i], "asked.test");
    how.speculative = false;
    assert_null(doh_fetch_start(w.pool, &how, on_done, &more));
    for (unsigned i = 0; i < 2; i++) {
        run_until(&w, &guess[i].done, 1);
        run_until(&w, &asked[i].done, 1);
    }
    ask_and_wait(&w, &more, "there.is.room.again.test");
    world_close(&w);
}

static void fresh_questions_say_so(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(w.server[0].fresh, 0);
    ask_how(&w, &q, "example.test", (struct doh_request){.route = DOH_ROUTE_DEFAULT, .fresh = true},
            on_done);
    run_until(&w, &q.done, 1);
    assert_int_equal(w.server[0].fresh, 1);
    world_close(&w);
}

static void age_is_handed_on(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.server[0].behaviour.age = "17";
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.age_s, 17);
    world_close(&w);
}

static void one_stream_at_a_time(void **state)
{
    (void)state;
    struct question q[10];
    struct world w;
    world_init(&w, 1);
    w.server[0].max_streams = 1;
    world_start(&w);
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    for (unsigned i = 0; i < COUNT(q); i++) {
        run_until(&w, &q[i].done, 1);
        assert_int_equal(q[i].err, DOH_OK);
    }
    world_close(&w);
}

static void warm_connections_are_there_before_questions(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    doh_pool_warm(w.pool);
    run_until(&w, &w.server[0].handshakes, 1);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(w.server[0].connections, 1);
    world_close(&w);
}

/* --- one failure, one upstream: nothing is lost ---------------------------------------------- */

static void what_fails_once_is_replayed(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum act act;
        unsigned connections, status;
    } cases[] = {
        {"reset", ACT_RESET, 2, 0},
        {"close", ACT_CLOSE, 2, 0},
        {"GOAWAY", ACT_GOAWAY, 2, 0},
        {"refused stream", ACT_REFUSE, 1, 0},
        {"given up stream", ACT_ABANDON, 1, 0},
        {"garbage", ACT_GARBAGE, 2, 0},
        {"misdirected", ACT_ANSWER, 2, 421},
        {"too early", ACT_ANSWER, 2, 425},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct question q;
        struct world w;
        struct doh_upstream_status status;
        world_init(&w, 1);
        w.server[0].behaviour =
            (struct behaviour){.act = cases[i].act, .count = 1, .status = cases[i].status};
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
        assert_int_equal(q.sent, 2);
        assert_int_equal(w.server[0].requests, 2);
        assert_int_equal(w.server[0].connections, cases[i].connections);
        assert_int_equal(doh_pool_status(w.pool, &status, 1), 1);
        assert_int_equal(status.replays, 1);
        assert_int_equal(status.failures, 0);
        assert_int_equal(w.warnings, 0);
        world_close(&w);
    }
}

static void a_goaway_in_mid_flight_loses_nothing(void **state)
{
    (void)state;
    struct question q[20];
    struct world w;
    world_init(&w, 1);
    w.server[0].behaviour = (struct behaviour){.act = ACT_GOAWAY, .first = 7, .count = 1};
    world_start(&w);
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    for (unsigned i = 0; i < COUNT(q); i++) {
        run_until(&w, &q[i].done, 1);
        assert_int_equal(q[i].err, DOH_OK);
    }
    assert_int_equal(w.server[0].connections, 2);
    world_close(&w);
}

static void an_idle_close_is_no_failure(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_upstream_status status;
    world_init(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    server_hang_up(&w.server[0]);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(doh_pool_status(w.pool, &status, 1), 1);
    assert_int_equal(status.failures, 0);
    assert_int_equal(status.connects, 2);
    assert_int_equal(status.resumed, 1); /* by a ticket of the first */
    assert_int_equal(w.server[0].resumed, 1);
    assert_int_equal(w.warnings, 0);
    assert_true(status.connected);
    world_close(&w);
}

static void idle_closes_before_any_answer_are_none_either(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    world_start(&w);
    for (unsigned i = 0; i < 4; i++) {
        struct doh_upstream_status status = {.connected = true};
        doh_pool_warm(w.pool);
        run_until(&w, &w.server[0].handshakes, i + 1);
        server_hang_up(&w.server[0]);
        while (status.connected || status.connects < i + 1) {
            (void)uv_run(&w.loop, UV_RUN_NOWAIT);
            (void)doh_pool_status(w.pool, &status, 1);
        }
    }
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.upstream, 0); /* no back-off */
    world_close(&w);
}

static void we_close_what_is_idle(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.config.idle_ms = 50;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    run_until(&w, &w.server[0].goodbyes, 1);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(w.server[0].connections, 2);
    world_close(&w);
}

/* --- one upstream fails always --------------------------------------------------------------- */

struct fault {
    const char *what;
    struct behaviour behaviour;
    enum doh_err err;  /* when there is no other upstream */
    unsigned requests; /* that it sees of one question then: with one replay, and both once more
                        * after a pause, unless that cannot help */
};
static const struct fault faults[] = {
    {"reset", {.act = ACT_RESET}, DOH_E_UNREACHABLE, 4},
    {"close", {.act = ACT_CLOSE}, DOH_E_UNREACHABLE, 4},
    {"GOAWAY", {.act = ACT_GOAWAY}, DOH_E_UNREACHABLE, 4},
    {"refused stream", {.act = ACT_REFUSE}, DOH_E_UNREACHABLE, 4},
    {"given up stream", {.act = ACT_ABANDON}, DOH_E_HTTP, 4},
    {"garbage", {.act = ACT_GARBAGE}, DOH_E_HTTP, 4},
    {"silence", {.act = ACT_DROP}, DOH_E_TIMEOUT, 4},
    {"oversize", {.act = ACT_BIG}, DOH_E_GARBAGE, 1},
    {"truncated", {.act = ACT_TRUNCATED}, DOH_E_GARBAGE, 1},
    {"another question", {.act = ACT_OTHER_QUESTION}, DOH_E_GARBAGE, 1},
    {"another id", {.act = ACT_OTHER_ID}, DOH_E_GARBAGE, 1},
    {"media type", {.media = "text/html"}, DOH_E_GARBAGE, 2},
    {"status 500", {.status = 500}, DOH_E_HTTP, 2},
    {"status 503", {.status = 503, .retry_after = "1"}, DOH_E_HTTP, 2},
    {"status 404", {.status = 404}, DOH_E_HTTP, 1},
    {"status 302", {.status = 302}, DOH_E_HTTP, 1},
    {"status 421", {.status = 421}, DOH_E_HTTP, 4},
    {"status 405", {.status = 405}, DOH_E_HTTP, 2},
};

static void another_upstream_answers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(faults); i++) {
        print_message("%s\n", faults[i].what);
        struct question q;
        struct world w;
        world_init(&w, 2);
        w.server[0].behaviour = faults[i].behaviour;
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK);
        assert_int_equal(q.upstream, 1);
        assert_true(w.server[0].requests >= 1);
        world_close(&w);
    }
}

static void alone_it_ends_with_the_reason(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(faults); i++) {
        print_message("%s\n", faults[i].what);
        struct question q;
        struct world w;
        struct doh_upstream_status status;
        world_init(&w, 1);
        w.config.deadline_ms = 200;
        w.server[0].behaviour = faults[i].behaviour;
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, faults[i].err);
        assert_int_equal(w.server[0].requests, faults[i].requests);
        assert_int_equal(doh_pool_status(w.pool, &status, 1), 1);
        assert_int_equal(status.answers, 0);
        assert_true(status.failures >= 1);
        assert_int_equal(w.warnings, 1);
        assert_string_not_equal(status.last_error, "");
        world_close(&w);
    }
}

/* Connections that end without any answer are not opened in a circle. */
static void fruitless_connections_lead_to_a_pause(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.server[0].behaviour.act = ACT_CLOSE;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_E_UNREACHABLE);
    assert_true(w.pool->upstreams[0].health.backoff.length_ms > 0);
    w.server[0].behaviour.act = ACT_ANSWER;
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(w.pool->upstreams[0].health.backoff.length_ms, 0);
    world_close(&w);
}

/* The first fails in one way, the second in another, and by then the first is well. Who is asked
 * first in the end depends on the jitter of back-offs; how often at most does not. */
static void all_have_a_last_chance(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct behaviour first, second;
        uint32_t deadline_ms;
        bool speculative;
        enum doh_err err;
        unsigned least[2], most[2];
    } cases[] = {
        {"one is well again",
         {.media = "text/html", .count = 1},
         {.act = ACT_CLOSE},
         4500,
         false,
         DOH_OK,
         {2, 2},
         {2, 4}},
        {"the other one is",
         {.media = "text/html"},
         {.act = ACT_CLOSE, .count = 2},
         4500,
         false,
         DOH_OK,
         {1, 3},
         {2, 3}},
        {"none is",
         {.media = "text/html"},
         {.act = ACT_CLOSE},
         4500,
         false,
         DOH_E_GARBAGE,
         {2, 4},
         {2, 4}},
        {"what was refused stays so",
         {.status = 404},
         {.act = ACT_OTHER_ID},
         4500,
         false,
         DOH_E_HTTP,
         {1, 1},
         {1, 1}},
        {"one said when it will be",
         {.status = 503, .retry_after = "1", .count = 1},
         {.act = ACT_ABANDON},
         4500,
         false,
         DOH_OK,
         {2, 2},
         {2, 4}},
        {"too late",
         {.media = "text/html", .count = 1},
         {.act = ACT_CLOSE},
         900,
         false,
         DOH_E_GARBAGE,
         {1, 2},
         {1, 2}},
        {"a guess",
         {.media = "text/html", .count = 1},
         {.act = ACT_CLOSE},
         4500,
         true,
         DOH_E_GARBAGE,
         {1, 2},
         {1, 2}},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct question q;
        struct world w;
        struct doh_request how = {.route = DOH_ROUTE_DEFAULT,
                                  .deadline_ms = cases[i].deadline_ms,
                                  .speculative = cases[i].speculative};
        world_init(&w, 2);
        w.server[0].behaviour = cases[i].first;
        w.server[1].behaviour = cases[i].second;
        world_start(&w);
        ask_how(&w, &q, "example.test", how, on_done);
        run_until(&w, &q.done, 1);
        assert_int_equal(q.err, cases[i].err);
        for (unsigned u = 0; u < 2; u++)
            assert_in_range(w.server[u].requests, cases[i].least[u], cases[i].most[u]);
        world_close(&w);
    }
}

/* One cannot be reached, the other has said when it may be asked again: that is waited for if it is
 * soon. */
static void who_opens_soon_is_waited_for(void **state)
{
    (void)state;
    static const struct {
        uint32_t open_ms;
        enum doh_err err;
    } cases[] = {{700, DOH_OK}, {2000, DOH_E_UNREACHABLE}};
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct question q;
        struct world w;
        world_init(&w, 2);
        w.address[0].sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2); /* nobody listens */
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, DOH_OK); /* the network is up, that is known now */
        uint64_t open_ms = doh_now(w.pool) + cases[i].open_ms;
        doh_health_shut(&w.pool->upstreams[1].health, doh_now(w.pool), cases[i].open_ms);
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.err, cases[i].err);
        assert_int_equal(doh_now(w.pool) >= open_ms, cases[i].err == DOH_OK);
        assert_int_equal(w.server[1].requests, cases[i].err == DOH_OK ? 2 : 1);
        world_close(&w);
    }
}

/* The first loses the question, the second refuses it: the first is asked once more, long before
 * its time to answer is over. */
static void what_one_has_lost_is_asked_again(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    w.config.choice = DOH_FAILOVER;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(w.server[0].requests, 1);
    w.server[0].behaviour = (struct behaviour){.act = ACT_DROP, .first = 1, .count = 1};
    w.server[1].behaviour = (struct behaviour){.status = 404};
    uint64_t begin_ms = doh_now(w.pool);
    ask_and_wait(&w, &q, "again.test");
    assert_int_equal(q.err, DOH_OK);
    assert_in_range(doh_now(w.pool) - begin_ms, 0, 2500); /* it would have 3 s */
    assert_int_equal(w.server[0].requests, 3);
    assert_int_equal(w.server[1].requests, 1);
    world_close(&w);
}

/* Both are well, and have said when they may be asked again. */
static void who_is_shut_is_waited_for(void **state)
{
    (void)state;
    static const struct {
        uint32_t first_ms, second_ms; /* until they open */
        uint32_t only, never;
        enum doh_err err;
        uint32_t least_ms, most_ms;
    } cases[] = {
        {300, 900, 0, 0, DOH_OK, 300, 700},           /* the first that opens */
        {20, 20, 0, 0, DOH_OK, 200, 600},             /* no sooner than a pause */
        {5000, 700, 1, 0, DOH_E_UNREACHABLE, 0, 300}, /* it may not be asked */
        {5000, 700, 0, 2, DOH_E_UNREACHABLE, 0, 300}, /* it has refused the question */
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("case %u\n", i);
        struct question q;
        struct world w;
        world_init(&w, 2);
        world_start(&w);
        ask_and_wait(&w, &q, "example.test");
        uint64_t begin_ms = doh_now(w.pool);
        doh_health_shut(&w.pool->upstreams[0].health, begin_ms, cases[i].first_ms);
        doh_health_shut(&w.pool->upstreams[1].health, begin_ms, cases[i].second_ms);
        struct doh_request how = {.route = DOH_ROUTE_DEFAULT, .only = cases[i].only};
        ask_how(&w, &q, "example.test", how, on_done);
        q.fetch->never = cases[i].never;
        run_until(&w, &q.done, 1);
        assert_int_equal(q.err, cases[i].err);
        assert_in_range(doh_now(w.pool) - begin_ms, cases[i].least_ms, cases[i].most_ms);
        world_close(&w);
    }
}

static void only_the_oversize_stream_is_given_up(void **state)
{
    (void)state;
    struct question q[3];
    struct world w;
    world_init(&w, 1);
    w.server[0].behaviour = (struct behaviour){.act = ACT_BIG, .first = 1, .count = 1};
    world_start(&w);
    for (unsigned i = 0; i < COUNT(q); i++)
        ask(&w, &q[i], "example.test");
    for (unsigned i = 0; i < COUNT(q); i++)
        run_until(&w, &q[i].done, 1);
    assert_int_equal(q[0].err, DOH_OK);
    assert_int_equal(q[1].err, DOH_E_GARBAGE);
    assert_int_equal(q[2].err, DOH_OK);
    assert_int_equal(w.server[0].connections, 1);
    world_close(&w);
}

static void the_method_changes_once(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.server[0].behaviour = (struct behaviour){.status = 405, .count = 1};
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(w.server[0].posts, 1);
    assert_int_equal(w.server[0].gets, 2);
    assert_int_equal(w.infos, 1);
    world_close(&w);
}

static void a_wrong_url_is_said_once(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    w.server[0].behaviour = (struct behaviour){.status = 404};
    world_start(&w);
    for (unsigned i = 0; i < 5; i++) {
        ask_and_wait(&w, &q, "example.test");
        assert_int_equal(q.upstream, 1);
    }
    assert_int_equal(w.server[0].requests, 1); /* not again for a minute */
    assert_int_equal(w.warnings, 1);
    assert_non_null(strstr(w.warning, "upstream first: HTTP status 404"));
    world_close(&w);
}

static void retry_after_is_obeyed(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_request only = {.route = DOH_ROUTE_DEFAULT, .only = 1};
    world_init(&w, 2);
    w.server[0].behaviour = (struct behaviour){.status = 429, .retry_after = "100"};
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.upstream, 1);
    ask_how(&w, &q, "example.test", only, on_done); /* even with no other choice */
    run_until(&w, &q.done, 1);
    assert_int_not_equal(q.err, DOH_OK);
    assert_int_equal(w.server[0].requests, 1);
    world_close(&w);
}

/* --- addresses and time ---------------------------------------------------------------------- */

/* Takes connections on 127.0.0.2, same port, and says nothing. */
static int silent_listener(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static void a_black_hole_costs_a_quarter_second(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_address addresses[2];
    world_init(&w, 1);
    addresses[0] = addresses[1] = w.address[0];
    addresses[0].sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    w.upstream[0].addresses = addresses;
    w.upstream[0].address_count = 2;
    int fd = silent_listener(w.server[0].port);
    world_start(&w);
    uint64_t begin = uv_hrtime();
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_true(uv_hrtime() - begin < 900 * UINT64_C(1000000)); /* below connect_ms */
    (void)close(fd);
    world_close(&w);
}

static void a_black_hole_alone_ends_in_time(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.config.connect_ms = 100;
    w.address[0].sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    int fd = silent_listener(w.server[0].port);
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_E_TIMEOUT);
    assert_int_equal(w.warnings, 1);
    assert_non_null(strstr(w.warning, "no TLS handshake with 127.0.0.2:"));
    (void)close(fd);
    world_close(&w);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.address[0].sa.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 2);
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_E_UNREACHABLE);
    assert_int_equal(w.warnings, 1);
    assert_non_null(strstr(w.warning, "Connection refused"));
    world_close(&w);
}

/* However long the back-off has become: a question with no other choice tries within 250 ms. */
static void what_is_well_again_is_found_soon(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    SSL_CTX *right = w.server[0].context;
    w.server[0].context = server_context(&w.ca, "elsewhere.test", 5);
    world_start(&w);
    for (unsigned i = 0; i < 7; i++)
        ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_E_TLS);
    assert_int_equal(w.warnings, 1); /* said once */
    while (w.pool->upstreams[0].dial.state != DOH_DIAL_IDLE)
        (void)uv_run(&w.loop, UV_RUN_ONCE); /* a probe, which would meet the old certificate */
    SSL_CTX_free(w.server[0].context);
    w.server[0].context = right;
    uint64_t begin = uv_hrtime();
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    assert_int_equal(w.infos, 1); /* and that it answers again */
    assert_true(uv_hrtime() - begin < 1500 * UINT64_C(1000000));
    world_close(&w);
}

static void a_deadline_ends_everything(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 2);
    w.server[0].behaviour.act = w.server[1].behaviour.act = ACT_DROP;
    world_start(&w);
    ask_how(&w, &q, "example.test",
            (struct doh_request){.route = DOH_ROUTE_DEFAULT, .deadline_ms = 60}, on_done);
    run_until(&w, &q.done, 1);
    assert_int_equal(q.err, DOH_E_TIMEOUT);
    world_close(&w);
}

/* A connection that is dead is found out although nobody waits long enough to see it. */
static void silence_ends_although_questions_go(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    world_init(&w, 1);
    w.config.deadline_ms = 300;
    world_start(&w);
    ask_and_wait(&w, &q, "example.test");
    struct peer *p = DOH_ITEM(w.server[0].peers.next, struct peer, link);
    assert_int_equal(uv_read_stop((uv_stream_t *)&p->tcp), 0); /* it does not even answer PING */
    while (w.server[0].connections < 2) {
        ask_how(&w, &q, "example.test",
                (struct doh_request){.route = DOH_ROUTE_DEFAULT, .deadline_ms = 40}, on_done);
        run_until(&w, &q.done, 1);
    }
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.err, DOH_OK);
    world_close(&w);
}

/* --- choice ---------------------------------------------------------------------------------- */

static void avoid_and_only(void **state)
{
    (void)state;
    static const struct {
        uint32_t avoid, only, want;
        bool kin;
    } cases[] = {
        {0, 0, 0, false}, {1, 0, 1, false}, {3, 0, 0, false},
        {0, 2, 1, false}, {2, 2, 1, false}, {1, 0, 0, true},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct question q;
        struct world w;
        world_init(&w, 2);
        if (cases[i].kin)
            w.upstream[1].operator_ = "ONE";
        world_start(&w);
        ask_how(&w, &q, "example.test",
                (struct doh_request){
                    .route = DOH_ROUTE_DEFAULT, .avoid = cases[i].avoid, .only = cases[i].only},
                on_done);
        run_until(&w, &q.done, 1);
        assert_int_equal(q.upstream, cases[i].want);
        world_close(&w);
    }
}

static void liars_are_quarantined(void **state)
{
    (void)state;
    struct question q;
    struct world w;
    struct doh_upstream_status status[2];
    world_init(&w, 2);
    world_start(&w);
    for (unsigned i = 0; i < 3; i++)
        doh_pool_blame(w.pool, 0, DOH_LIE_BOGUS);
    ask_and_wait(&w, &q, "example.test");
    assert_int_equal(q.upstream, 1);
    assert_int_equal(doh_pool_status(w.pool, status, 2), 2);
    assert_int_equal(status[0].lies, 3);
    assert_true(status[0].quarantine_ms > 50000);
    assert_int_equal(status[1].quarantine_ms, 0);
    assert_int_equal(w.warnings, 1);
    ask_how(&w, &q, "example.test", (struct doh_request){.route = DOH_ROUTE_DEFAULT, .only = 1},
            on_done); /* no other one may be asked */
    run_until(&w, &q.done, 1);
    assert_int_equal(q.upstream, 0);
    world_close(&w);
}

/* --- the contract of `done` ------------------------------------------------------------------ */

static void nothing_comes_after_cancel(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        unsigned turns; /* of the loop, before the cancel */
        bool warm, drop;
    } cases[] = {
        {"before the turn", 0, false, false},        {"while connecting", 1, false, false},
        {"in the handshake", 3, false, false},       {"sent", 2, true, true},
        {"answered or about to be", 4, true, false},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].what);
        struct question q, other;
        struct world w;
        world_init(&w, 1);
        world_start(&w);
        if (cases[i].warm)
            ask_and_wait(&w, &other, "warm.test");
        if (cases[i].drop)
            w.server[0].behaviour.act = ACT_DROP;
        ask(&w, &q, "example.test");
        for (unsigned turn = 0; turn < cases[i].turns && q.done == 0; turn++)
            (void)uv_run(&w.loop, UV_RUN_ONCE);
        unsigned before = q.done;
        if (q.fetch)
            doh_fetch_cancel(q.fetch);
        w.server[0].behaviour.act = ACT_ANSWER;
        ask_and_wait(&w, &other, "other.test");
        assert_int_equal(other.err, DOH_OK);
        assert_int_equal(q.done, before);
        world_close(&w);
    }
}

/* The server has answered, the answer is on its way, and nobody waits for it any more. */
static void an_answer_nobody_waits_for_is_dropped(void **state)
{
    (void)state;
    struct question q, other;
    struct world w;
    world_init(&w, 1);
    world_start(&w);
    ask_and_wait(&w, &other, "warm.test");
    ask(&w, &q, "example.test");
    run_until(&w, &w.server[0].requests, 2);
    assert_int_equal(q.done, 0);
    doh_fetch_cancel(q.fetch);
    ask_and_wait(&w, &other, "other.test");
    assert_int_equal(other.err, DOH_OK);
    assert_int_equal(q.done, 0);
    assert_int_equal(w.server[0].connections, 1);
    world_close(&w);
}

static void closing_cancels_all(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 6; turns++) {
        struct question q[5];
        struct world w;
        world_init(&w, 2);
        w.server[0].behaviour.act = ACT_DROP;
        world_start(&w);
        for (unsigned i = 0; i < COUNT(q); i++)
            ask(&w, &q[i], "example.test");
        for (unsigned i = 0; i < turns; i++)
            (void)uv_run(&w.loop, UV_RUN_ONCE);
        world_close(&w);
        for (unsigned i = 0; i < COUNT(q); i++) {
            assert_int_equal(q[i].done, 1);
            assert_int_equal(q[i].err, DOH_E_CANCELLED);
        }
    }
}

static struct question chain[4];

/* From inside: one is cancelled, one is started. */
static void on_done_busy(void *arg, enum doh_err err, const struct doh_answer *answer)
{
    struct question *q = arg;
    on_done(arg, err, answer);
    if (q != &chain[0])
        return;
    if (chain[1].fetch)
        doh_fetch_cancel(chain[1].fetch);
    chain[1].fetch = NULL;
    ask(q->world, &chain[2], "third.test");
}

static void done_may_do_anything(void **state)
{
    (void)state;
    struct world w;
    struct doh_request plain = {.route = DOH_ROUTE_DEFAULT};
    world_init(&w, 1);
    world_start(&w);
    ask_how(&w, &chain[0], "first.test", plain, on_done_busy);
    ask_how(&w, &chain[1], "second.test", plain, on_done_busy); /* answered in the same turn */
    run_until(&w, &chain[0].done, 1);
    run_until(&w, &chain[2].done, 1);
    assert_int_equal(chain[1].done, 0);
    assert_int_equal(chain[2].err, DOH_OK);
    world_close(&w);
}

static void waiting_questions_are_bounded(void **state)
{
    (void)state;
    static struct question q[4097];
    struct world w;
    uint8_t wire[512];
    struct dns_question question = question_for("example.test");
    struct dns_opt_out opt = {.udp_size = 4096};
    struct doh_request request = {
        .question = &question, .wire = wire, .route = DOH_ROUTE_DEFAULT, .deadline_ms = 1000};
    request.len = dns_query_write(wire, sizeof wire, 0, &question, 0, &opt);
    world_init(&w, 1);
    world_start(&w);
    for (unsigned i = 0; i < 4096; i++)
        assert_non_null(doh_fetch_start(w.pool, &request, on_done, &q[i]));
    assert_null(doh_fetch_start(w.pool, &request, on_done, &q[4096]));
    world_close(&w);
    for (unsigned i = 0; i < 4096; i++)
        assert_int_equal(q[i].done, 1);
    assert_int_equal(q[4096].done, 0);
}

static void bad_configuration_is_named(void **state)
{
    (void)state;
    static const struct {
        char *url, *ca, *key, *said;
    } cases[] = {
        {"http://doh.test/", NULL, "url", "upstream one: the URL http://doh.test/"},
        {"https://doh.test/", "/nonexistent/ca.pem", "ca",
         "/nonexistent/ca.pem: No such file or directory"},
        {"https://doh.test/", "/dev/null", "ca", "/dev/null"},
    };
    for (unsigned i = 0; i < COUNT(cases); i++) {
        struct doh_fault fault = {0};
        struct doh_upstream_config upstream = {
            .name = "one", .url = cases[i].url, .ca_file = cases[i].ca};
        struct doh_config config = {.upstreams = &upstream, .upstream_count = 1};
        assert_null(doh_shared_new(&config, &fault));
        assert_non_null(strstr(fault.text, cases[i].said));
        assert_int_equal(fault.upstream, 0);
        assert_string_equal(fault.key, cases[i].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(post_and_get),
        cmocka_unit_test(a_hundred_share_one_connection),
        cmocka_unit_test(one_turn_is_one_send),
        cmocka_unit_test(speculative_questions_go_behind),
        cmocka_unit_test(speculative_questions_fill_half_of_the_room),
        cmocka_unit_test(fresh_questions_say_so),
        cmocka_unit_test(age_is_handed_on),
        cmocka_unit_test(one_stream_at_a_time),
        cmocka_unit_test(warm_connections_are_there_before_questions),
        cmocka_unit_test(what_fails_once_is_replayed),
        cmocka_unit_test(a_goaway_in_mid_flight_loses_nothing),
        cmocka_unit_test(an_idle_close_is_no_failure),
        cmocka_unit_test(idle_closes_before_any_answer_are_none_either),
        cmocka_unit_test(we_close_what_is_idle),
        cmocka_unit_test(another_upstream_answers),
        cmocka_unit_test(alone_it_ends_with_the_reason),
        cmocka_unit_test(fruitless_connections_lead_to_a_pause),
        cmocka_unit_test(all_have_a_last_chance),
        cmocka_unit_test(who_opens_soon_is_waited_for),
        cmocka_unit_test(who_is_shut_is_waited_for),
        cmocka_unit_test(what_one_has_lost_is_asked_again),
        cmocka_unit_test(only_the_oversize_stream_is_given_up),
        cmocka_unit_test(the_method_changes_once),
        cmocka_unit_test(a_wrong_url_is_said_once),
        cmocka_unit_test(retry_after_is_obeyed),
        cmocka_unit_test(a_black_hole_costs_a_quarter_second),
        cmocka_unit_test(a_black_hole_alone_ends_in_time),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(what_is_well_again_is_found_soon),
        cmocka_unit_test(a_deadline_ends_everything),
        cmocka_unit_test(silence_ends_although_questions_go),
        cmocka_unit_test(avoid_and_only),
        cmocka_unit_test(liars_are_quarantined),
        cmocka_unit_test(nothing_comes_after_cancel),
        cmocka_unit_test(an_answer_nobody_waits_for_is_dropped),
        cmocka_unit_test(closing_cancels_all),
        cmocka_unit_test(done_may_do_anything),
        cmocka_unit_test(waiting_questions_are_bounded),
        cmocka_unit_test(bad_configuration_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
