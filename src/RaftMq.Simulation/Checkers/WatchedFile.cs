using System.Buffers.Binary;
using RaftMq.Raft;
using RaftMq.Records;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Checkers;

/// <inheritdoc cref="WatchedDisk"/>
internal sealed class WatchedFile(SimulatedFile file, NodeId node, History history) : IDiskFile
{
    private readonly List<(long From, long To)> _written = [];
    private readonly bool _isJournal = file.Path.StartsWith("journal/", StringComparison.Ordinal);
    private byte[] _buffer = [];

    public string Path => file.Path;

    public long Length => file.Length;

    public int Read(long position, Span<byte> buffer) => file.Read(position, buffer);

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        file.Write(position, bytes);
        Note(position, bytes.Length);
    }

    public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
    {
        file.Write(position, buffers);
        Note(position, buffers.Sum(b => (long)b.Length));
    }

    public void Sync()
    {
        file.Sync();
        foreach ((long from, long to) in _written)
        {
            int length = checked((int)(to - from));
            if (_buffer.Length < length)
            {
                _buffer = new byte[Math.Max(length, 2 * _buffer.Length)];
            }

            int read = file.ReadDurable(from, _buffer.AsSpan(0, length));
            Scan(_buffer.AsSpan(0, read));
            if (_isJournal)
            {
                JournalReading.Tell(_buffer.AsSpan(0, read), node, history);
            }
        }

        _written.Clear();
    }

    public void SetLength(long length) => file.SetLength(length);

    public void Dispose() => file.Dispose();

    private void Note(long position, long length)
    {
        if (_written.Count > 0 && _written[^1].To == position)
        {
            _written[^1] = (_written[^1].From, position + length);
        }
        else
        {
            _written.Add((position, position + length));
        }
    }

    private void Scan(ReadOnlySpan<byte> bytes)
    {
        int at = 0;
        while (Mark.TryFind(bytes[at..], out Mark mark, out int found))
        {
            found += at;
            at = found + Mark.LengthBytes;
            if (!history.Marks.TryGet(mark, out MarkBook.SentBatch sent))
            {
                history.Add(new HistoryEvent.MarkDurable(node, mark, -1));
                continue;
            }

            int start = found - sent.MarkAt;
            if (start >= 0 && start + sent.LengthBytes <= bytes.Length)
            {
                ReadOnlySpan<byte> batch = bytes.Slice(start, sent.LengthBytes);
                if (MarkBook.IsIntact(sent, batch))
                {
                    history.Add(new HistoryEvent.MarkDurable(
                        node, mark, BinaryPrimitives.ReadInt64BigEndian(batch[RecordBatchLayout.BaseOffset..])));
                    at = start + sent.LengthBytes;
                }
            }
        }
    }
}
