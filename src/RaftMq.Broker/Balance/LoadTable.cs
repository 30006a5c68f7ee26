using System.Numerics;

namespace RaftMq.Broker.Balance;

/// <summary>From which node to which other one something of a topic is to go.</summary>
internal readonly record struct Shift(int Topic, int From, int To);

/// <summary>
/// How much of one kind of load each node carries, of each topic and in all, and what could go where. Finds what makes it more even: one shift, or where
/// none is possible (racks stand in the way, or no replica is there to lead) the shortest chain of them, of which only the ends carry more or less
/// afterwards. Without racks, or with racks of as many nodes, that leads to a difference of one at most.
/// </summary>
internal sealed class LoadTable(IBalancedLoad load, PlannedPartition[][] topics, int nodes, ulong takers)
{
    private readonly int[][] _ofTopic = [.. topics.Select(_ => new int[nodes])];
    private readonly int[] _inAll = new int[nodes];

    /// <summary>By topic and node: to where one of the topic's partitions could shift the load of that node.</summary>
    private readonly ulong[][] _ways = [.. topics.Select(_ => new ulong[nodes])];

    private readonly bool[] _isCounted = new bool[topics.Length];

    public (int OfTopic, int InAll) this[int topic, int node] => (_ofTopic[topic][node], _inAll[node]);

    public IBalancedLoad Load => load;

    /// <summary>Something of the topic is elsewhere now.</summary>
    public void Changed(int topic) => _isCounted[topic] = false;

    public void Count()
    {
        for (int t = 0; t < topics.Length; t++)
        {
            if (!_isCounted[t])
            {
                Count(t);
                _isCounted[t] = true;
            }
        }
    }

    /// <summary>What takes a topic's load from a node that has two more of it than another, which gets it.</summary>
    public IEnumerable<Shift[]> WithinTopics()
    {
        for (int t = 0; t < topics.Length; t++)
        {
            int topic = t;
            int[] of = _ofTopic[t];
            foreach (int from in Fullest(of))
            {
                int[]? path = Path(from, x => _ways[topic][x], y => of[y] <= of[from] - 2, y => (of[y], _inAll[y]));
                if (path is not null)
                {
                    yield return Shifts(topic, path);
                }
            }
        }
    }

    /// <summary>What takes load from a node that has two more in all than another, which gets it, and leaves the topics as even as they are.</summary>
    public IEnumerable<Shift[]> OverTopics()
    {
        foreach (int from in Fullest(_inAll))
        {
            if (OverTopics(from, static (table, topic, node) => table._ways[topic][node]) is { } direct)
            {
                yield return direct;
            }
        }

        foreach (int from in Fullest(_inAll))
        {
            if (OverTopics(from, static (table, topic, node) => table.Reached(topic, node)) is { } chained)
            {
                yield return chained;
            }
        }
    }

    private void Count(int topic)
    {
        int[] of = _ofTopic[topic];
        ulong[] ways = _ways[topic];
        for (int n = 0; n < nodes; n++)
        {
            _inAll[n] -= of[n];
            (of[n], ways[n]) = (0, 0);
        }

        foreach (PlannedPartition partition in topics[topic])
        {
            for (ulong on = load.On(partition); on != 0; on &= on - 1)
            {
                int node = BitOperations.TrailingZeroCount(on);
                of[node]++;
                _inAll[node]++;
                ways[node] |= partition.IsFree ? load.Targets(partition, node) : 0;
            }
        }
    }

    /// <summary>Each step takes something of one topic to a node that has less of it.</summary>
    private Shift[]? OverTopics(int from, Func<LoadTable, int, int, ulong> ways)
    {
        ulong Lower(int topic, int node) => ways(this, topic, node) & FewerThan(topic, node);

        ulong FromAnyTopic(int node)
        {
            ulong all = 0;
            for (int t = 0; t < topics.Length; t++)
            {
                all |= Lower(t, node);
            }

            return all;
        }

        int[]? path = Path(from, FromAnyTopic, y => _inAll[y] <= _inAll[from] - 2, y => (_inAll[y], 0));
        if (path is null)
        {
            return null;
        }

        List<Shift> shifts = [];
        for (int i = 1; i < path.Length; i++)
        {
            (int x, int y) = (path[i - 1], path[i]);
            int topic = Enumerable.Range(0, topics.Length).First(t => (Lower(t, x) & (1UL << y)) != 0);
            shifts.AddRange(Shifts(topic, Path(x, z => _ways[topic][z], z => z == y, static _ => default)!));
        }

        return [.. shifts];
    }

    /// <summary>Nodes to which load of that one may come by any number of shifts in the topic.</summary>
    private ulong Reached(int topic, int from)
    {
        ulong reached = 1UL << from;
        for (ulong next = reached; next != 0;)
        {
            int node = BitOperations.TrailingZeroCount(next);
            ulong fresh = _ways[topic][node] & ~reached;
            reached |= fresh;
            next = (next & (next - 1)) | fresh;
        }

        return reached & ~(1UL << from);
    }

    private ulong FewerThan(int topic, int node)
    {
        ulong fewer = 0;
        int[] of = _ofTopic[topic];
        for (int n = 0; n < nodes; n++)
        {
            fewer |= of[n] < of[node] ? 1UL << n : 0;
        }

        return fewer;
    }

    /// <summary>Nodes that have two more than some node that would take it, the fullest first.</summary>
    private int[] Fullest(int[] of)
    {
        int least = Enumerable.Range(0, nodes).Where(n => (takers & (1UL << n)) != 0).Select(n => of[n]).DefaultIfEmpty(int.MaxValue).Min();
        return [.. Enumerable.Range(0, nodes).Where(n => of[n] - 2 >= least).OrderByDescending(n => of[n]).ThenByDescending(n => _inAll[n])];
    }

    /// <summary>The shortest way to an end, of several to the one that ranks lowest; null where there is none.</summary>
    private int[]? Path(int from, Func<int, ulong> ways, Func<int, bool> isEnd, Func<int, (int, int)> rank)
    {
        int[] cameFrom = new int[nodes];
        ulong seen = 1UL << from;
        for (ulong level = seen, next = 0; level != 0; (level, next) = (next, 0))
        {
            for (ulong left = level; left != 0; left &= left - 1)
            {
                int x = BitOperations.TrailingZeroCount(left);
                ulong fresh = ways(x) & ~seen;
                seen |= fresh;
                next |= fresh;
                for (; fresh != 0; fresh &= fresh - 1)
                {
                    cameFrom[BitOperations.TrailingZeroCount(fresh)] = x;
                }
            }

            int? end = null;
            for (ulong left = next; left != 0; left &= left - 1)
            {
                int y = BitOperations.TrailingZeroCount(left);
                if (isEnd(y) && (end is not { } best || rank(y).CompareTo(rank(best)) < 0))
                {
                    end = y;
                }
            }

            if (end is { } found)
            {
                List<int> path = [found];
                while (path[^1] != from)
                {
                    path.Add(cameFrom[path[^1]]);
                }

                path.Reverse();
                return [.. path];
            }
        }

        return null;
    }

    private static Shift[] Shifts(int topic, int[] path) => [.. path.Skip(1).Select((to, i) => new Shift(topic, path[i], to))];
}
