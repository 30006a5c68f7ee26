using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Journal;

/// <summary>
/// The file <c>journal.mark</c>: two places in different blocks, written in turn, so that a write that a power cut tears leaves the mark before it.
/// It lies beside the journal's folder and not in it, so that a folder that is lost whole is missed. Used by one work at a time.
/// </summary>
internal sealed class JournalMarkFile
{
    public const string Path = "journal.mark";

    /// <summary>From one place to the other.</summary>
    public const int PlaceBytes = BatchLayout.BlockBytes;

    public const int FileBytes = 2 * PlaceBytes;

    private readonly StoreId _store;
    private long _sequence;

    private JournalMarkFile(StoreId store, in JournalMark mark, long sequence)
    {
        _store = store;
        Mark = mark;
        _sequence = sequence;
    }

    /// <summary>As last read or written.</summary>
    public JournalMark Mark { get; private set; }

    public static bool Exists(IDisk disk) => disk.FileExists(Path);

    /// <summary>Durable before there is any journal file: without it there never was one.</summary>
    public static JournalMarkFile Create(IDisk disk, StoreId store)
    {
        byte[] bytes = new byte[FileBytes];
        default(JournalMark).Encode(store, sequence: 0).CopyTo(bytes, 0);
        WholeFile.Replace(disk, Path, bytes);
        return new JournalMarkFile(store, default, sequence: 0);
    }

    /// <summary>Null when neither place can be read.</summary>
    public static JournalMarkFile? TryOpen(IDisk disk, StoreId store)
    {
        JournalMarkFile? newest = null;
        using IDiskFile file = disk.Open(Path, DiskFileMode.Existing);
        byte[] bytes = new byte[JournalMark.Bytes];
        for (int place = 0; place < FileBytes; place += PlaceBytes)
        {
            int count = file.Read(place, bytes);
            if (JournalMark.TryDecode(bytes.AsSpan(0, count), store, out JournalMark mark, out long sequence)
                && (newest is null || sequence > newest._sequence))
            {
                newest = new JournalMarkFile(store, mark, sequence);
            }
        }

        return newest;
    }

    /// <summary>How many of the two places can be read, and how many were ever written.</summary>
    public static (int Readable, int Written) Places(IDisk disk, StoreId store)
    {
        int readable = 0, written = 0;
        using IDiskFile file = disk.Open(Path, DiskFileMode.Existing);
        byte[] bytes = new byte[JournalMark.Bytes];
        for (int place = 0; place < FileBytes; place += PlaceBytes)
        {
            Span<byte> there = bytes.AsSpan(0, file.Read(place, bytes));
            readable += JournalMark.TryDecode(there, store, out _, out _) ? 1 : 0;
            written += there.Length == bytes.Length && !there.ContainsAnyExcept((byte)0) ? 0 : 1;
        }

        return (readable, written);
    }

    /// <summary>Durable when it returns; over the older of the two marks.</summary>
    public void Write(IDisk disk, in JournalMark mark)
    {
        Invariant.Holds(mark.OpenedFile >= Mark.OpenedFile);
        Invariant.Holds(mark.NewestFile >= mark.OpenedFile);
        try
        {
            _sequence++;
            using IDiskFile file = disk.Open(Path, DiskFileMode.Existing);
            file.Write(_sequence % 2 * PlaceBytes, mark.Encode(_store, _sequence));
            file.Sync();
        }
        catch (DiskFullException fault)
        {
            // It claims no new room, and nobody could wait: who prepares a file would take this for a file that has none.
            throw new DiskFaultException(fault.Message, fault);
        }

        Mark = mark;
    }
}
