using System.Buffers.Binary;
using System.Runtime.InteropServices;
using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Journal;

/// <summary>
/// One batch on its way. Its life: the journal fills <see cref="Rows"/>, <see cref="Records"/> and <see cref="Pieces"/> and calls
/// <see cref="Place"/>; <see cref="Execute"/> lays it out in the staging buffer, writes and syncs it on a disk thread;
/// <see cref="Complete"/> tells the journal, which clears it for the next. Nothing in it changes while it is on its way.
/// </summary>
internal sealed class JournalBatch(Action<JournalBatch> completed) : DiskWork
{
    /// <summary>Larger buffers are for single large records and not kept.</summary>
    private const int KeptStagingBytes = 8 << 20;

    /// <summary>Entries are copied and summed piece by piece while they are in the core's cache.</summary>
    private const int CopyBytes = 16 << 10;

    private byte[] _staging = [];
    private int _stagingStart;
    private BatchHeader _header;

    public List<BatchRow> Rows { get; } = [];

    /// <summary>The waiters' records, in order.</summary>
    public List<JournalRecord> Records { get; } = [];

    /// <summary>Records of which only the hard state is in this batch, as a row; they wait for a later one themselves.</summary>
    public List<JournalRecord> HardStates { get; } = [];

    /// <summary>The body: the rows' entries one behind the other.</summary>
    public List<ReadOnlyMemory<byte>> Pieces { get; } = [];

    public JournalFile? File { get; private set; }

    public BatchHeader Header => _header;

    /// <summary>Set by <see cref="Execute"/>: what the next batch's header must name.</summary>
    public ulong Hash { get; private set; }

    public void Place(JournalFile file, in BatchHeader header)
    {
        File = file;
        _header = header;
    }

    public void Clear()
    {
        Rows.Clear();
        Records.Clear();
        HardStates.Clear();
        Pieces.Clear();
        File = null;
        if (_staging.Length > KeptStagingBytes)
        {
            _staging = [];
        }
    }

    public override void Execute(IDisk disk)
    {
        Span<byte> batch = LayOut();
        IDiskFile handle = File!.Handle!;
        handle.Write(_header.FileOffset, batch);
        if (!PlantedBug.AckBeforeFsync)
        {
            Sync(handle);
        }
    }

    public override void Complete() => completed(this);

    private static void Sync(IDiskFile handle)
    {
#if PLANTED
        try
        {
            handle.Sync();
        }
        catch (DiskFaultException) when (PlantedBug.FsyncErrorIgnored)
        {
        }
        catch (DiskFaultException) when (PlantedBug.FsyncRetried)
        {
            handle.Sync();
        }
#else
        handle.Sync();
#endif
    }

    /// <summary>The batch's bytes, complete.</summary>
    internal Span<byte> LayOut()
    {
        Span<byte> batch = Staging(checked((int)_header.BatchBytes));
        int headerBlocksBytes = _header.HeaderBlocks * BatchLayout.BlockBytes;
        Span<byte> header = batch[..headerBlocksBytes];
        header[_header.HeaderBytes..].Clear();
        Span<byte> checksums = header[BatchLayout.FixedHeaderBytes..BatchLayout.TableOffset(_header.BodyBlocks)];
        if (_header.BodyBlocks > 0)
        {
            int bodyBytes = _header.BodyBlocks * BatchLayout.BlockBytes;
            Span<byte> parity = batch.Slice(headerBlocksBytes + bodyBytes, BatchLayout.BlockBytes);
            parity.Clear();
            checksums[^(sizeof(uint) * 2)..].Clear(); // The padding of an odd count of blocks.
            FillBody(batch.Slice(headerBlocksBytes, bodyBytes), checksums, parity);
            _header = _header with { ParityChecksum = Crc32C.Compute(parity) };
        }

        Span<byte> table = header[BatchLayout.TableOffset(_header.BodyBlocks).._header.HeaderBytes];
        foreach (ref readonly BatchRow row in CollectionsMarshal.AsSpan(Rows))
        {
            row.Write(ref table);
        }

        Invariant.Holds(table.IsEmpty);
        Hash = _header.Write(header[.._header.HeaderBytes]);
        header.CopyTo(batch[^headerBlocksBytes..]);
        return batch;
    }

    private void FillBody(Span<byte> body, Span<byte> checksums, Span<byte> parity)
    {
        int copied = 0;
        int guarded = 0;
        foreach (ReadOnlyMemory<byte> piece in CollectionsMarshal.AsSpan(Pieces))
        {
            ReadOnlySpan<byte> rest = piece.Span;
            while (!rest.IsEmpty)
            {
                int count = Math.Min(rest.Length, CopyBytes);
                rest[..count].CopyTo(body[copied..]);
                rest = rest[count..];
                copied += count;
                GuardWholeBlocks(body, copied, ref guarded, checksums, parity);
            }
        }

        Invariant.Holds(copied == _header.BodyBytes);
        body[copied..].Clear();
        GuardWholeBlocks(body, body.Length, ref guarded, checksums, parity);
    }

    private static void GuardWholeBlocks(Span<byte> body, int filled, ref int guarded, Span<byte> checksums, Span<byte> parity)
    {
        while (guarded + BatchLayout.BlockBytes <= filled)
        {
            ReadOnlySpan<byte> block = body.Slice(guarded, BatchLayout.BlockBytes);
            int number = guarded / BatchLayout.BlockBytes;
            BinaryPrimitives.WriteUInt32LittleEndian(checksums[(number * sizeof(uint))..], Crc32C.Compute(block));
            BlockGuard.Fold(block, parity);
            guarded += BatchLayout.BlockBytes;
        }
    }

    /// <summary>Pinned and on a block's boundary, as direct I/O wants it.</summary>
    private Span<byte> Staging(int bytes)
    {
        if (_staging.Length < bytes + BatchLayout.BlockBytes)
        {
            int room = Math.Max(bytes, 64 << 10);
            room = bytes <= KeptStagingBytes / 2 ? (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)room) : room;
            _staging = GC.AllocateUninitializedArray<byte>(room + BatchLayout.BlockBytes, pinned: true);
            long address = Marshal.UnsafeAddrOfPinnedArrayElement(_staging, 0);
            _stagingStart = (int)(-address & (BatchLayout.BlockBytes - 1));
        }

        return _staging.AsSpan(_stagingStart, bytes);
    }
}
