using System.Security.Cryptography;
using RaftMq.Raft;
using RaftMq.Simulation.Disk;
using RaftMq.Storage.Files;
using RaftMq.Storage.Journal;
using RaftMq.Storage.Log;
using RaftMq.Storage.Recovery;

namespace RaftMq.Cli.Tests.Doctor;

/// <summary>A node's data folder, made by the store on a disk in memory and written to a temporary folder.</summary>
internal sealed class DataFolder : IDisposable, IJournalOwner, IGroupCreationWaiter
{
    private static readonly Membership Members = Membership.Of(
        new ReplicaId(new NodeId(1), new StoreId(9)), new ReplicaId(new NodeId(2), new StoreId(10)), new ReplicaId(new NodeId(3), new StoreId(11)));

    public DataFolder()
    {
        SimulatedDisk disk = new(new RandomSource(1));
        StoreIdentity.Open(disk, new NodeId(1), StoreExpectation.MayBeEmpty, new StoreId(9));
        SteppedDiskQueue queue = new(disk);
        NodeStore store = NodeStore.Scan(disk, new NodeStoreLimits());
        using NodeJournal journal = JournalRecovery.Open(
            disk, new JournalOptions { FileBytes = 32 << 10, TotalBytesMax = 256 << 10, BatchBytesMax = 16 << 10 }, new StoreId(9), store, queue, this);
        GroupLogEnvironment environment = new(queue, journal, new TailPool());
        store.Finish((_, _) => environment);
        store.CreateGroup(new GroupId(7), "payments-0", Members, environment, this);
        store.CreateGroup(new GroupId(8), "orders-0", Members, environment, this);
        queue.RunAll();
        Write(disk, "");
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("raftmq-doctor-").FullName;

    /// <summary>In the folder of payments-0.</summary>
    public string Meta => In("groups/payments-0-00000000000000000000000000000007/group.meta");

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public static void Flip(string file, int at)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[at] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    /// <summary>Each file and folder with its content and the time of its last change.</summary>
    public IReadOnlyList<(string Name, string Content, DateTime Written)> State() =>
    [
        .. Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories).Append(Path).Order(StringComparer.Ordinal).Select(entry => (
            entry, File.Exists(entry) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(entry))) : "", File.GetLastWriteTimeUtc(entry))),
    ];

    public void Dispose() => Directory.Delete(Path, recursive: true);

    void IJournalOwner.ReleaseWanted(GroupId group, LogIndex upTo)
    {
        // It is not lived on.
    }

    void IGroupCreationWaiter.GroupCreated(GroupId group, GroupLog log, RaftStart raft)
    {
        // Its folder is all that is wanted.
    }

    private void Write(SimulatedDisk disk, string folder)
    {
        foreach (string name in disk.List(folder))
        {
            string path = folder.Length == 0 ? name : $"{folder}/{name}";
            if (disk.FolderExists(path))
            {
                Directory.CreateDirectory(In(path));
                Write(disk, path);
                continue;
            }

            using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
            byte[] bytes = new byte[file.Length];
            file.Read(0, bytes);
            File.WriteAllBytes(In(path), bytes);
        }
    }
}
