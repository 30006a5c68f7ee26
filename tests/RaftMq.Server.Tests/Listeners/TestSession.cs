using System.Buffers.Binary;
using RaftMq.Kafka.Connections;

namespace RaftMq.Server.Tests.Listeners;

/// <summary>
/// A protocol made up for tests. A frame is: i16 what to do, i16 zero, i32 correlation, payload. What to do: 0 echo the payload; 1 answer with
/// as many zero bytes as the payload's i32 says; 2 answer later, when the test releases it; 3 answer nothing; 4 close; 5 throw; 6 never finish;
/// 7 answer with a thousandth of a megabyte array.
/// </summary>
internal sealed class TestSession(TestSessions owner) : IKafkaSession
{
    public async ValueTask HandleAsync(ReadOnlyMemory<byte> frame, IPendingResponse response, CancellationToken cancellation)
    {
        Interlocked.Increment(ref owner.Handled);
        short what = BinaryPrimitives.ReadInt16BigEndian(frame.Span);
        int correlation = BinaryPrimitives.ReadInt32BigEndian(frame.Span[4..]);
        switch (what)
        {
            case 0:
                response.Complete(new TestResponse(owner, correlation, frame[8..].ToArray()));
                break;
            case 1:
                response.Complete(new TestResponse(owner, correlation, new byte[BinaryPrimitives.ReadInt32BigEndian(frame.Span[8..])]));
                break;
            case 7:
                response.Complete(new TestResponse(owner, correlation, new byte[1 << 20].AsMemory(5000, 1000)));
                break;
            case 2:
                owner.Held.Enqueue(() => response.Complete(new TestResponse(owner, correlation, Array.Empty<byte>())));
                break;
            case 3:
                response.CompleteWithNothing();
                break;
            case 4:
                response.Close("asked to");
                break;
            case 5:
                throw new InvalidOperationException("session failed");
            default:
                await Task.Delay(Timeout.Infinite, cancellation);
                break;
        }
    }
}
