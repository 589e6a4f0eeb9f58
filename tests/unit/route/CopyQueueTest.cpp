#include "route/CopyQueue.h"
#include "route/CopyGaps.h"

#include <QtTest>

#include <future>
#include <random>
#include <thread>

using namespace causeway;

namespace {

Row key(int n)
{
    return {std::to_string(n)};
}
ChunkRecord chunk(int number, std::optional<int> after, std::optional<int> upTo)
{
    ChunkRecord c;
    c.mark.number = number;
    if (after)
        c.mark.range.after = key(*after);
    if (upTo)
        c.mark.range.upTo = key(*upTo);
    return c;
}
CopyItem item(std::size_t bytes, int number = 0)
{
    CopyItem i;
    i.batch = RowBatch(1);
    i.batch.append(std::string(bytes, 'x'));
    i.mark.number = number;
    return i;
}
int toInt(const std::optional<Row> &r, int otherwise)
{
    return r ? std::stoi(*r->at(0)) : otherwise;
}

} // namespace

class CopyQueueTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void holdsUpReadersWhenFull()
    {
        CopyQueue queue(1000);
        QVERIFY(queue.push(item(600), {}));
        auto second = std::async(std::launch::async, [&] { return queue.push(item(600), {}); });
        QCOMPARE(second.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
        QVERIFY(queue.pop({}));
        QVERIFY(second.get());
        QVERIFY(queue.waitedForRoom() > std::chrono::milliseconds(40));
        QVERIFY(queue.pop({}));
        // One that is larger than all of it still gets through.
        QVERIFY(queue.push(item(5000), {}));
        QVERIFY(queue.pop({}));
    }

    void wakesWritersWhenClosedOrStopped()
    {
        CopyQueue queue(1000);
        auto waiting = std::async(std::launch::async, [&] { return queue.pop({}).has_value(); });
        queue.close();
        QVERIFY(!waiting.get());
        CopyQueue other(1000);
        std::stop_source stop;
        auto stopped = std::async(std::launch::async, [&, token = stop.get_token()] {
            return other.pop(token).has_value();
        });
        stop.request_stop();
        QVERIFY(!stopped.get());
        QVERIFY(other.push(item(2000), {}));
        QVERIFY(!other.push(item(2000), stop.get_token()));
    }

    void losesNothingBetweenManyThreads()
    {
        CopyQueue queue(10'000);
        constexpr int each = 2'000;
        std::atomic<qint64> sum{0};
        {
            std::vector<std::jthread> writers;
            for (int w = 0; w < 4; ++w)
                writers.emplace_back([&] {
                    while (const auto got = queue.pop({}))
                        sum += got->mark.number;
                });
            {
                std::vector<std::jthread> readers;
                for (int r = 0; r < 3; ++r)
                    readers.emplace_back([&] {
                        for (int i = 1; i <= each; ++i) {
                            if (!queue.push(item(50, i), {}))
                                qFatal("refused");
                        }
                    });
            }
            queue.close();
        }
        QCOMPARE(sum.load(), qint64(3) * each * (each + 1) / 2);
    }

    void throttlesToTheRate()
    {
        Throttle throttle;
        throttle.setRate(1'000'000);
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 5; ++i)
            QVERIFY(throttle.pass(100'000, {}));
        QVERIFY(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(380));
        // A change of the rate wakes who waits.
        throttle.setRate(1);
        QVERIFY(throttle.pass(1'000, {}));
        auto waiting = std::async(std::launch::async, [&] { return throttle.pass(1, {}); });
        QCOMPARE(waiting.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
        throttle.setRate(0);
        QVERIFY(waiting.get());
    }

    void findsTheGaps()
    {
        const TableName t{QStringLiteral("s"), QStringLiteral("t")};
        auto gaps = gapsOf(t, {});
        QVERIFY(gaps && gaps->size() == 1);
        QVERIFY(!gaps->at(0).range.after && !gaps->at(0).range.upTo);

        gaps = gapsOf(t, {chunk(16, {}, 10), chunk(32, 10, {})});
        QVERIFY(gaps && gaps->empty());

        gaps = gapsOf(t, {chunk(64, 30, 40), chunk(32, 10, 20)});
        QVERIFY(gaps && gaps->size() == 3);
        QCOMPARE(toInt(gaps->at(0).range.after, -1), -1);
        QCOMPARE(toInt(gaps->at(0).range.upTo, -1), 10);
        QCOMPARE(toInt(gaps->at(1).range.after, -1), 20);
        QCOMPARE(toInt(gaps->at(1).range.upTo, -1), 30);
        QCOMPARE(toInt(gaps->at(2).range.after, -1), 40);
        QCOMPARE(toInt(gaps->at(2).range.upTo, -1), -1);

        QVERIFY(!gapsOf(t, {chunk(16, {}, {}), chunk(32, 10, 20)}));
        QVERIFY(!gapsOf(t, {chunk(16, {}, 10), chunk(17, 20, 30)}));
    }

    // Random crashes: whatever was committed, the next pass reads exactly the rest, and the numbers
    // stay in key order.
    void coversEverythingOnceAfterAnyCrashes()
    {
        const TableName t{QStringLiteral("s"), QStringLiteral("t")};
        std::mt19937 random(7);
        for (int round = 0; round < 300; ++round) {
            std::vector<ChunkRecord> committed;
            for (int pass = 0;; ++pass) {
                const auto gaps = gapsOf(t, committed);
                QVERIFY(gaps.has_value());
                if (gaps->empty())
                    break;
                // Few crashes at last, so that it ends.
                const unsigned lostOfTen = pass > 6 ? 0 : random() % 6;
                for (const CopyGap &gap : *gaps) {
                    const int from = toInt(gap.range.after, 0);
                    const int to = toInt(gap.range.upTo, 1000);
                    int at = from;
                    for (int made = 0; at < to || (made == 0 && from == to); ++made) {
                        const bool lastRoom = gap.mostChunks > 0 && made + 1 >= gap.mostChunks;
                        int next = std::min(to, at + 1 + static_cast<int>(random() % 40));
                        if (lastRoom)
                            next = to;
                        ChunkRecord c;
                        c.mark.number = gap.firstNumber + made * gap.step;
                        c.mark.range.after =
                            at == from ? gap.range.after : std::optional<Row>(key(at));
                        c.mark.range.upTo =
                            next == to ? gap.range.upTo : std::optional<Row>(key(next));
                        if (random() % 10 >= lostOfTen)
                            committed.push_back(c);
                        at = next;
                    }
                }
            }
            std::sort(committed.begin(), committed.end(), [](const auto &a, const auto &b) {
                return toInt(a.mark.range.after, 0) < toInt(b.mark.range.after, 0);
            });
            int covered = 0;
            int number = 0;
            for (const ChunkRecord &c : committed) {
                QCOMPARE(toInt(c.mark.range.after, 0), covered);
                covered = toInt(c.mark.range.upTo, 1000);
                QVERIFY(c.mark.number > number);
                number = c.mark.number;
            }
            QCOMPARE(covered, 1000);
        }
    }
};

QTEST_GUILESS_MAIN(CopyQueueTest)
#include "CopyQueueTest.moc"
