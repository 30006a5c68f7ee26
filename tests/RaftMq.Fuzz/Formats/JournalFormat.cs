using System.Buffers.Binary;
using RaftMq.Fuzz.Disk;
using RaftMq.Fuzz.Engine;
using RaftMq.Fuzz.Mutation;
using RaftMq.Raft;
using RaftMq.Storage;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Fuzz.Formats;

/// <summary>
/// The journal's folder and its mark, as a start finds them: recovered whole, and recovered again, which must tell the same. File 0 of an input is
/// the mark, the others are journal files of that number.
/// </summary>
internal sealed class JournalFormat : FuzzFormat
{
    private const int FileBytes = 16 * BatchLayout.BlockBytes;

    private static readonly JournalOptions Options = new()
    {
        FileBytes = FileBytes,
        TotalBytesMax = 8 * FileBytes,
        BatchBytesMax = 4 * BatchLayout.BlockBytes,
    };

    private readonly List<byte[]> _seeds = [.. Lives()];
    private readonly HashSet<string> _toldBySeeds = new(StringComparer.Ordinal);

    public JournalFormat()
    {
        // A mutant may hold blocks of another seed's life, and a life cut short tells of states in between.
        foreach (byte[] seed in _seeds)
        {
            TryRecover(FolderImage.ToDisk(seed, NameOf), new Replay(_toldBySeeds));
        }
    }

    public override string Name => "journal";

    public override IReadOnlyList<string> Parsers =>
    [
        "RaftMq.Storage.Recovery.JournalFileReader", "RaftMq.Storage.Recovery.JournalWalk", "RaftMq.Storage.Recovery.JournalLineage",
        "RaftMq.Storage.Recovery.JournalRecovery", "RaftMq.Storage.Recovery.ReplaySink", "RaftMq.Storage.Recovery.FoundBatch",
        "RaftMq.Storage.Journal.BatchHeader", "RaftMq.Storage.Journal.BatchRow::TryRead", "RaftMq.Storage.Journal.BatchLayout",
        "RaftMq.Storage.Journal.JournalMark::TryDecode", "RaftMq.Storage.Journal.JournalMarkFile::TryOpen", "RaftMq.Storage.Journal.JournalFile::TryParse",
    ];

    public override int InputBytesMax => 64 << 10;

    public override bool KeepsLength => true;

    /// <summary>The readers' scratch of a MiB, and the file that a start opens.</summary>
    public override long AllocatedBytesMax(int inputBytes) => (64L * inputBytes) + (4 << 20);

    public override bool SealedHasOthers => true;

    public override IEnumerable<byte[]> Seeds() => _seeds;

    public override void Run(byte[] input)
    {
        FuzzDisk disk = FolderImage.ToDisk(input, NameOf);
        Replay first = new();
        if (!TryRecover(disk, first))
        {
            return;
        }

        ReadDone();
        Replay second = new();
        if (!TryRecover(disk, second))
        {
            // Refused, with a sentence: a folder whose checksums were mended around numbers that no journal has may come to that a start later.
            return;
        }

        // Checksums mended around positions that no journal has can make a start pass over files that the next one finds, and finds damaged.
        if (!first.IsDamaged && !second.IsDamaged && !first.IsEmpty)
        {
            if (!first.IsSameAs(second))
            {
                throw new OracleException($"a second start tells what the first one told: {first}; and then {second}");
            }
        }
    }

    public override void Repair(byte[] input, FuzzRandom random)
    {
        List<(int Number, byte[] Bytes)> files = FolderImage.Unpack(input);
        foreach ((int number, byte[] bytes) in files)
        {
            if (number == 0)
            {
                MendMark(bytes);
            }
            else
            {
                MendFile(bytes, random);
            }
        }

        FolderImage.Update(input, files);
    }

    public override void CheckSealed(byte[] seed, byte[] mutant)
    {
        HashSet<string> told = new(StringComparer.Ordinal);
        if (TryRecover(FolderImage.ToDisk(mutant, NameOf), new Replay(told)))
        {
            Oracle.Holds(told.IsSubsetOf(_toldBySeeds), "a journal tells only what was written to it");
        }
    }

    /// <summary>The CRCs of both places.</summary>
    internal static void MendMark(Span<byte> file)
    {
        for (int place = 0; place + JournalMark.Bytes <= file.Length; place += JournalMarkFile.PlaceBytes)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(file[(place + 4)..], Crc32C.Compute(file[(place + 8)..(place + JournalMark.Bytes)]));
        }
    }

    /// <summary>Of every block that begins with the magic: the header's CRC, and, of one in two, those of its body's blocks and entries.</summary>
    internal static void MendFile(Span<byte> file, FuzzRandom random)
    {
        for (int block = 0; block + BatchLayout.BlockBytes <= file.Length; block += BatchLayout.BlockBytes)
        {
            MendHeader(file, block, mendBody: random.OneIn(2));
        }
    }

    private static string NameOf(int number) => number == 0 ? JournalMarkFile.Path : JournalFile.PathOf((uint)number % 1_000_000);

    private static void MendHeader(Span<byte> file, int block, bool mendBody)
    {
        if (!BatchHeader.TryReadLength(file[block..], out int headerBytes) || headerBytes > file.Length - block)
        {
            return;
        }

        Span<byte> header = file.Slice(block, headerBytes);
        int bodyBytes = BinaryPrimitives.ReadInt32LittleEndian(header[96..]);
        int bodyAt = block + (BatchLayout.Blocks(headerBytes) * BatchLayout.BlockBytes);
        if (mendBody && bodyBytes > 0 && bodyBytes <= file.Length - bodyAt)
        {
            Checksums.MendEntries(file.Slice(bodyAt, bodyBytes));
            int bodyBlocks = BatchLayout.Blocks(bodyBytes);
            for (int i = 0; i < bodyBlocks && BatchLayout.TableOffset(bodyBlocks) <= headerBytes; i++)
            {
                int at = bodyAt + (i * BatchLayout.BlockBytes);
                if (at + BatchLayout.BlockBytes <= file.Length)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(
                        header[(BatchLayout.FixedHeaderBytes + (i * sizeof(uint)))..], Crc32C.Compute(file.Slice(at, BatchLayout.BlockBytes)));
                }
            }
        }

        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Crc32C.Compute(header[8..]));
    }

    /// <summary>False: refused, with a sentence.</summary>
    private static bool TryRecover(FuzzDisk disk, Replay replay)
    {
        try
        {
            using NodeJournal journal = JournalRecovery.Open(disk, Options, Samples.Store, replay, new InlineQueue(disk), replay);
            return true;
        }
        catch (JournalRefusedException)
        {
            return false;
        }
    }

    /// <summary>Folders as they lie after lives of a journal, at several moments of each.</summary>
    private static IEnumerable<byte[]> Lives()
    {
        FuzzDisk disk = new();
        yield return Pack(disk);
        GroupId other = new(99);
        int index = 1;
        for (int life = 0; life < 4; life++)
        {
            InlineQueue queue = new(disk);
            Replay replay = new();
            using NodeJournal journal = JournalRecovery.Open(disk, Options, Samples.Store, replay, queue, replay);
            yield return Pack(disk);
            JournalRecord[] records =
            [
                new() { Group = Samples.Group, HardState = new HardState(new Term(3 + life), life == 1 ? null : Samples.Replica(2)) },
                new() { Group = Samples.Group, Entries = Some(index, 6), Commit = new LogIndex(index + 1) },
                new() { Group = other, HardState = new HardState(new Term(1), null) },
                new() { Group = Samples.Group, SegmentsDurable = new LogIndex(index + 2), LogBase = new LogIndex(life) },
            ];
            foreach (JournalRecord record in records)
            {
                journal.Append(record);
            }

            journal.Flush();
            queue.RunAll();
            yield return Pack(disk);
            index += 6;
            journal.Append(life switch
            {
                0 => new JournalRecord { Group = Samples.Group, Entries = Some(index - 2, 2) },
                1 => new JournalRecord { Group = Samples.Group, Reset = (new LogIndex(index + 3), new Term(3)), LogBase = new LogIndex(index + 3) },
                2 => new JournalRecord { Group = Samples.Group, GivenUp = true },
                _ => new JournalRecord { Group = other, Deleted = true },
            });
            index += life switch
            {
                1 => 4,

                // The log ends where its segments do.
                2 => -3,
                _ => 0,
            };
            journal.Flush();
            queue.RunAll();
            journal.Tick(0);
            journal.Tick(1000);
            queue.RunAll();
            yield return Pack(disk);
        }
    }

    private static Entry[] Some(int first, int count) => [.. Samples.Log(first, count, term: 3).Select(Samples.AsEntry)];

    private static byte[] Pack(FuzzDisk disk) => FolderImage.Pack(disk.Files
        .Where(file => file.Path == JournalMarkFile.Path || file.Path.StartsWith(JournalFile.Folder + "/", StringComparison.Ordinal))
        .Select(file => (
            file.Path == JournalMarkFile.Path ? 0 : JournalFile.TryParse(file.Path[(JournalFile.Folder.Length + 1)..], out long number) ? (int)number : 1,
            file.Bytes)));

    /// <summary>What a recovery tells of each group.</summary>
    /// <param name="told">Takes all of it as texts; null: not wanted.</param>
    private sealed class Replay(HashSet<string>? told = null) : IJournalReplay, IJournalOwner
    {
        private readonly SortedDictionary<GroupId, GroupTold> _groups = [];

        public bool IsDamaged { get; private set; }

        public bool IsEmpty => _groups.Count == 0;

        public void HardState(GroupId group, HardState state)
        {
            told?.Add($"{group} {state}");
            Of(group).Hard = state;
        }

        public void Entries(GroupId group, IReadOnlyList<Entry> entries)
        {
            GroupTold ofGroup = Of(group);
            foreach (Entry entry in entries)
            {
                Oracle.Holds(EntryLayout.TryRead(entry.Bytes.Span, out EntryHeader header) && header.Group.IsLifeOf(group), "an entry that is told is whole");
                Oracle.Holds(header.Index == entry.Index && header.Term == entry.Term, "an entry is what its header says");
                told?.Add($"{group} {Convert.ToHexString(entry.Bytes.Span)}");
                ofGroup.DropFrom(entry.Index);
                ofGroup.Entries.Add(entry.Index, entry.Bytes.ToArray());
            }
        }

        public void Commit(GroupId group, LogIndex commit) => Of(group).Commit = LogIndex.Max(Of(group).Commit, commit);

        public void SegmentsDurable(GroupId group, LogIndex index) => Of(group).Release(index);

        public void Reset(GroupId group, LogIndex index, Term term, bool keepsEntries)
        {
            told?.Add($"{group} reset {index} {term}");
            GroupTold ofGroup = Of(group);
            if (keepsEntries)
            {
                ofGroup.Release(index);
                return;
            }

            ofGroup.Entries.Clear();
            ofGroup.Commit = index;
            ofGroup.Release(index);
        }

        /// <summary>What lies before the beginning of a log is needed as little as what is in segments, and the next start may say either.</summary>
        public void LogBase(GroupId group, LogIndex index) => Of(group).Release(index);

        public void Deleted(GroupId group) => _groups.Remove(group);

        public void Lost(GroupId group, LogIndex first, LogIndex last) => Of(group).DropFrom(first);

        public void Suspect(GroupId group, LogIndex from)
        {
            // What is told of the group next says what became of it.
        }

        public void Settled(GroupId group)
        {
            // As if nothing had been said.
        }

        public void Damaged(GroupId group, LogIndex? cutFrom, JournalDamage damage, string report)
        {
            IsDamaged = true;
            if (cutFrom is { } from)
            {
                Of(group).DropFrom(from);
            }
        }

        public IEnumerable<GroupId> Groups => [];

        public bool HasNoFiles(GroupId group) => false;

        public void ReleaseWanted(GroupId group, LogIndex upTo)
        {
            // Nobody writes on.
        }

        public bool IsSameAs(Replay other) =>
            _groups.Keys.SequenceEqual(other._groups.Keys) && _groups.All(group => group.Value.IsSameAs(other._groups[group.Key]));

        public override string ToString() => string.Join("; ", _groups.Select(static group => $"{group.Key} {group.Value}"));

        private GroupTold Of(GroupId group)
        {
            if (!_groups.TryGetValue(group, out GroupTold? known))
            {
                _groups.Add(group, known = new GroupTold());
            }

            return known;
        }
    }

    private sealed class GroupTold
    {
        public HardState Hard { get; set; }

        public LogIndex Commit { get; set; }

        public LogIndex Durable { get; private set; }

        public SortedList<LogIndex, byte[]> Entries { get; } = [];

        public void DropFrom(LogIndex first)
        {
            while (Entries.Count > 0 && Entries.GetKeyAtIndex(Entries.Count - 1) >= first)
            {
                Entries.RemoveAt(Entries.Count - 1);
            }
        }

        public void Release(LogIndex upTo) => Durable = LogIndex.Max(Durable, upTo);

        /// <summary>Entries that lie in segments need not be told again.</summary>
        public bool IsSameAs(GroupTold other) =>
            Hard == other.Hard && Commit == other.Commit && Durable == other.Durable
            && Untold.Select(static entry => entry.Key).SequenceEqual(other.Untold.Select(static entry => entry.Key))
            && Untold.Zip(other.Untold).All(static pair => pair.First.Value.AsSpan().SequenceEqual(pair.Second.Value));

        public override string ToString() => $"{Hard}, commit {Commit}, in segments {Durable}, entries {string.Join(' ', Untold.Select(static entry => entry.Key))}";

        private IEnumerable<KeyValuePair<LogIndex, byte[]>> Untold => Entries.Where(entry => entry.Key > Durable);
    }
}
