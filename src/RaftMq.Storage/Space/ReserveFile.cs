using RaftMq.Raft;
using RaftMq.Storage.Files;

namespace RaftMq.Storage.Space;

/// <summary>
/// The file <c>reserve</c> at the top of the data folder: room that the node takes while there is plenty, to give it back when the disk is full. What
/// frees room (retention, deletions, checkpoints, journal records of terms and commits) can go on then. Its content means nothing; its length
/// is the room that it holds. One exclusive section owns it, one piece of work at a time is with the disk.
/// </summary>
/// <param name="wantedBytes">How large it should be; 0: there is none.</param>
public sealed class ReserveFile(IDiskQueue disk, long wantedBytes)
{
    public const string Path = "reserve";

    /// <summary>One piece holds the disk's background lane about 4 ms.</summary>
    public const int PieceBytes = 2 << 20;

    public long WantedBytes => wantedBytes;

    /// <summary>What the file holds, as far as its work has completed.</summary>
    public long HeldBytes { get; private set; }

    /// <summary>Taken as used by whoever asks how much is free: it is to be written first.</summary>
    public long MissingBytes => Math.Max(0, wantedBytes - HeldBytes);

    /// <summary>How often it was given back since the start.</summary>
    public int Releases { get; private set; }

    /// <summary>Work is with the disk.</summary>
    public bool IsBusy { get; private set; }

    public static long LengthOf(IDisk disk)
    {
        if (!disk.FileExists(Path))
        {
            return 0;
        }

        using IDiskFile file = disk.Open(Path, DiskFileMode.Existing);
        return file.Length;
    }

    /// <summary>Gives the room back. False when there was none to give.</summary>
    public static bool TryRelease(IDisk disk)
    {
        if (!disk.FileExists(Path))
        {
            return false;
        }

        Probe.Reached(RareBranch.ReserveReleased);
        disk.DeleteFile(Path);
        disk.SyncFolder("");
        return true;
    }

    /// <summary>A start: what an earlier life left, one of another size included.</summary>
    public void Found(long bytes) => HeldBytes = bytes;

    /// <summary>Writes one piece more, unless it is whole or work is under way.</summary>
    public void Grow()
    {
        if (!IsBusy && HeldBytes < wantedBytes && !(PlantedBug.ReserveNotRemade && Releases > 0))
        {
            Submit(new Piece(this, HeldBytes, (int)Math.Min(PieceBytes, wantedBytes - HeldBytes)));
        }
    }

    /// <summary>Gives all of it back, unless there is nothing or work is under way.</summary>
    public void Release()
    {
        if (!IsBusy && HeldBytes > 0)
        {
            Submit(new Deletion(this));
        }
    }

    /// <summary>Gives back what an earlier configuration wanted more.</summary>
    public void Shrink()
    {
        if (HeldBytes > wantedBytes)
        {
            Release();
        }
    }

    private void Submit(DiskWork work)
    {
        IsBusy = true;
        disk.Submit(DiskLane.Background, work);
    }

    private void Done(long heldBytes)
    {
        IsBusy = false;
        HeldBytes = heldBytes;
    }

    private sealed class Piece(ReserveFile reserve, long position, int bytes) : DiskWork
    {
        public override void Execute(IDisk disk)
        {
            bool exists = disk.FileExists(Path);
            using IDiskFile file = disk.Open(Path, exists ? DiskFileMode.Existing : DiskFileMode.CreateNew);
            file.Write(position, Content(bytes));

            // What a file system would allocate at the sync only is not held before.
            file.Sync();
            if (!exists)
            {
                disk.SyncFolder("");
            }
        }

        public override void Complete() => reserve.Done(position + bytes);

        public override void Full(DiskFullException fault) => reserve.Done(position);

        /// <summary>No zeros and nothing that repeats: a file system that compresses would hold next to nothing for it.</summary>
        private static byte[] Content(int bytes)
        {
            byte[] content = new byte[bytes];
            ulong state = 0x9E3779B97F4A7C15;
            for (int i = 0; i + sizeof(ulong) <= bytes; i += sizeof(ulong))
            {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                BitConverter.TryWriteBytes(content.AsSpan(i), state);
            }

            return content;
        }
    }

    private sealed class Deletion(ReserveFile reserve) : DiskWork
    {
        public override void Execute(IDisk disk) => TryRelease(disk);

        public override void Complete()
        {
            reserve.Releases++;
            reserve.Done(0);
        }
    }
}
