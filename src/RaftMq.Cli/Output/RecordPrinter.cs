using System.Buffers;
using RaftMq.Cli.Brokers;

namespace RaftMq.Cli.Output;

/// <summary>A record as <c>raftmq consume</c> prints it: the bytes of key and value as they are, and a \n.</summary>
internal sealed class RecordPrinter(Stream output, byte[]? keySeparator)
{
    private readonly ArrayBufferWriter<byte> line = new();

    public async Task WriteAsync(ConsumedRecord record, CancellationToken cancellation)
    {
        line.ResetWrittenCount();
        if (keySeparator is not null)
        {
            line.Write(record.Key);
            line.Write(keySeparator);
        }

        line.Write(record.Value);
        line.Write("\n"u8);
        await output.WriteAsync(line.WrittenMemory, cancellation);
        await output.FlushAsync(cancellation);
    }
}
