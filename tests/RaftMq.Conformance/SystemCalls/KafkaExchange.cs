using System.Buffers.Binary;

namespace RaftMq.Conformance.SystemCalls;

/// <summary>A produce request and its answer as the broker's system calls show them.</summary>
/// <param name="ArrivedUs">The request's last byte was received not later than this.</param>
/// <param name="AnsweredUs">The answer's first byte left not earlier than this.</param>
internal sealed record KafkaExchange(long ArrivedUs, long AnsweredUs)
{
    private const int SizeBytes = 4;
    private const int ProduceKey = 0;
    private const int FrameBytesMax = 1 << 20;

    /// <summary>Finds the produce request that carries the mark, and the first answer on its connection with its correlation id.</summary>
    /// <returns>Null when the trace shows no such request, or no answer to it.</returns>
    public static KafkaExchange? Find(IReadOnlyList<SystemCall> calls, ReadOnlyMemory<byte> mark)
    {
        foreach (string socket in calls.Where(call => call.IsReceive && call.File.Length > 0).Select(call => call.File).Distinct())
        {
            foreach (Frame request in Frames(calls.Where(call => call.IsReceive && call.File == socket)))
            {
                if (!IsProduce(request.Bytes) || request.Bytes.AsSpan().IndexOf(mark.Span) < 0)
                {
                    continue;
                }

                int correlation = BinaryPrimitives.ReadInt32BigEndian(request.Bytes.AsSpan(4));
                Frame? answer = Frames(calls.Where(call => call.IsSend && call.File == socket))
                    .FirstOrDefault(frame => BinaryPrimitives.ReadInt32BigEndian(frame.Bytes) == correlation);
                return answer is null ? null : new KafkaExchange(request.Last.EndedUs, answer.First.BeganUs);
            }
        }

        return null;
    }

    private static bool IsProduce(byte[] frame) => frame.Length >= 8 && BinaryPrimitives.ReadInt16BigEndian(frame) == ProduceKey;

    /// <summary>Cuts one direction of a connection into frames: i32 size, bytes. Ends where it is not Kafka.</summary>
    private static IEnumerable<Frame> Frames(IEnumerable<SystemCall> calls)
    {
        List<byte> waiting = [];
        SystemCall? first = null;
        foreach (SystemCall call in calls)
        {
            waiting.AddRange(call.Bytes);
            first ??= call;
            while (waiting.Count >= SizeBytes)
            {
                int size = BinaryPrimitives.ReadInt32BigEndian([.. waiting.Take(SizeBytes)]);
                if (size is < SizeBytes or > FrameBytesMax)
                {
                    yield break;
                }

                if (waiting.Count < SizeBytes + size)
                {
                    break;
                }

                yield return new Frame([.. waiting.Skip(SizeBytes).Take(size)], first, call);
                waiting.RemoveRange(0, SizeBytes + size);
                first = call;
            }

            if (waiting.Count == 0)
            {
                first = null;
            }
        }
    }

    private sealed record Frame(byte[] Bytes, SystemCall First, SystemCall Last);
}
