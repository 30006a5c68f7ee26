using System.Globalization;

namespace RaftMq.Conformance.SystemCalls;

/// <summary>
/// DURABLE, from system calls alone: before the first byte of an acknowledgement leaves the leader, enough nodes have written the record
/// to their journal and an fdatasync of that file, begun after the write, has returned 0.
/// </summary>
internal static class DurableAck
{
    /// <param name="nodes">Each node's calls.</param>
    /// <param name="leader">Which of them got the request.</param>
    /// <param name="mark">Bytes of the record that occur nowhere else.</param>
    /// <param name="nodesMin">How many nodes must have it: a majority, or more if <c>min.insync.replicas</c> says so.</param>
    /// <returns>Null when the promise was kept; else what the traces show instead.</returns>
    public static string? Fault(IReadOnlyList<IReadOnlyList<SystemCall>> nodes, int leader, ReadOnlyMemory<byte> mark, int nodesMin)
    {
        if (KafkaExchange.Find(nodes[leader], mark) is not { } exchange)
        {
            return "the leader's trace shows no such request with an answer";
        }

        long?[] durable = [.. nodes.Select(calls => DurableUs(calls, mark, exchange.ArrivedUs))];
        if (durable.Count(at => at <= exchange.AnsweredUs) >= nodesMin)
        {
            return null;
        }

        string found = string.Join(
            ", ", durable.Select((at, node) => $"node {node} {(at is { } us ? $"durable after {Since(exchange, us)}" : "never durable")}"));
        return $"answered after {Since(exchange, exchange.AnsweredUs)}, {nodesMin} nodes must have it by then: {found}";
    }

    /// <returns>When the first fdatasync returned 0 that the record was certainly part of; null: none did.</returns>
    private static long? DurableUs(IReadOnlyList<SystemCall> calls, ReadOnlyMemory<byte> mark, long arrivedUs)
    {
        long? earliest = null;
        foreach (SystemCall write in calls.Where(call => call.IsJournalWrite && call.Bytes.AsSpan().IndexOf(mark.Span) >= 0))
        {
            foreach (SystemCall sync in calls.Where(call => call.IsGoodSync && call.File == write.File))
            {
                // Within one trace the order of lines is exact; between two the clock must do.
                if (sync.BeganLine > write.EndedLine && sync.BeganUs >= arrivedUs && !(sync.EndedUs >= earliest))
                {
                    earliest = sync.EndedUs;
                }
            }
        }

        return earliest;
    }

    private static string Since(KafkaExchange exchange, long atUs) =>
        string.Create(CultureInfo.InvariantCulture, $"{(atUs - exchange.ArrivedUs) / 1000.0:0.000} ms");
}
