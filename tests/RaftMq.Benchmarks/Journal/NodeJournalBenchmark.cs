using BenchmarkDotNet.Attributes;
using RaftMq.Raft;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Benchmarks.Journal;

/// <summary>
/// The journal's CPU per record, from append to acknowledgement, over a disk that takes everything at once. One operation is one batch
/// of <see cref="BatchBytes"/> in records of one entry each. Measured on the reference machine, which was busy with other work: 0.22 us per
/// record of 1 KiB, 1.5 us of 16 KiB, 97 us of 1 MiB (10.8 GB/s); no allocation per record.
/// </summary>
[MemoryDiagnoser]
public class NodeJournalBenchmark : IJournalOwner, IJournalWaiter, IJournalReplay, IDiskQueue
{
    private const int BatchBytes = 1 << 20;
    private readonly NullDisk _disk = new();
    private readonly Queue<DiskWork> _work = new();
    private readonly GroupId _group = new(7);
    private JournalRecord[] _records = [];
    private NodeJournal? _journal;
    private int _written;

    [Params(1 << 10, 16 << 10, 1 << 20)]
    public int EntryBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _journal = JournalRecovery.Open(_disk, new JournalOptions(), new StoreId(1), this, this, this);
        byte[] bytes = new byte[EntryBytes];
        _records = new JournalRecord[BatchBytes / EntryBytes];
        for (int i = 0; i < _records.Length; i++)
        {
            byte[] own = [.. bytes];
            EntryLayout.WriteHeader(own, new EntryHeader(
                own.Length, EntryKind.FirstOfStateMachine, EntryFlags.None, new Term(1), new LogIndex(i + 1), 0, 0, 21, 0, _group));
            Entry entry = new(new LogIndex(i + 1), new Term(1), EntryKind.FirstOfStateMachine, own);
            _records[i] = new JournalRecord { Group = _group, Entries = [entry], Waiter = this };
        }
    }

    /// <summary>The same indexes again and again: the newer replace the older, so files are released by themselves.</summary>
    [Benchmark]
    public int Batch()
    {
        foreach (JournalRecord record in _records)
        {
            _journal!.Append(record);
        }

        _journal!.Flush();
        while (_work.TryDequeue(out DiskWork? work))
        {
            work.Execute(_disk);
            work.Complete();
        }

        return _written;
    }

    void IDiskQueue.Submit(DiskLane lane, DiskWork work) => _work.Enqueue(work);

    void IJournalWaiter.Written(JournalRecord record) => _written++;

    void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo)
    {
    }

    void IJournalReplay.HardState(GroupId group, HardState state)
    {
    }

    void IJournalReplay.Entries(GroupId group, IReadOnlyList<Entry> entries)
    {
    }

    void IJournalReplay.Commit(GroupId group, LogIndex commit)
    {
    }

    void IJournalReplay.SegmentsDurable(GroupId group, LogIndex index)
    {
    }

    void IJournalReplay.Reset(GroupId group, LogIndex index, Term term, bool keepsEntries)
    {
    }

    void IJournalReplay.LogBase(GroupId group, LogIndex index)
    {
    }

    void IJournalReplay.Deleted(GroupId group)
    {
    }

    void IJournalReplay.Lost(GroupId group, LogIndex first, LogIndex last)
    {
    }

    void IJournalReplay.Suspect(GroupId group, LogIndex from)
    {
    }

    void IJournalReplay.Settled(GroupId group)
    {
    }

    void IJournalReplay.Damaged(GroupId group, LogIndex? cutFrom, JournalDamage damage, string report)
    {
    }

    IEnumerable<GroupId> IJournalReplay.Groups => [];

    bool IJournalReplay.HasNoFiles(GroupId group) => false;

    private sealed class NullDisk : IDisk
    {
        public bool FileExists(string path) => false;

        public bool FolderExists(string path) => true;

        public long FreeBytes(string folder) => long.MaxValue;

        public IReadOnlyList<string> List(string folder) => [];

        public void CreateFolder(string path)
        {
        }

        public IDiskFile Open(string path, DiskFileMode mode) => new NullFile(path);

        public void DeleteFile(string path)
        {
        }

        public void DeleteFolder(string path)
        {
        }

        public void Rename(string from, string to)
        {
        }

        public void SyncFolder(string path)
        {
        }
    }

    private sealed class NullFile(string path) : IDiskFile
    {
        public string Path => path;

        public long Length => 64L << 20;

        public int Read(long position, Span<byte> buffer)
        {
            buffer.Clear();
            return buffer.Length;
        }

        public void Write(long position, ReadOnlySpan<byte> bytes)
        {
        }

        public void Write(long position, IReadOnlyList<ReadOnlyMemory<byte>> buffers)
        {
        }

        public void Sync()
        {
        }

        public void SetLength(long length)
        {
        }

        public void Dispose()
        {
        }
    }
}
