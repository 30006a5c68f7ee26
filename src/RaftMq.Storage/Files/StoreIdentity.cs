using RaftMq.Raft;

namespace RaftMq.Storage.Files;

/// <summary>What the caller knows of the data folder from elsewhere (its configuration, the other nodes).</summary>
public enum StoreExpectation
{
    /// <summary>An empty folder is formatted.</summary>
    MayBeEmpty,

    /// <summary>The node worked here before: an empty folder is refused (D-18).</summary>
    HasData,
}

/// <summary>
/// Whose data folder this is, and the number of this start. Two small files at the top of the folder, laid out in docs/on-disk.md:
/// <c>identity</c>, written once when the folder is formatted, and <c>boot</c>, written at each start. Each holds its content twice, a
/// sector apart, so that one bad sector does not stop a node. Both are replaced by writing beside and renaming.
/// </summary>
/// <param name="Boot">Durable, and greater than that of every earlier start on this folder.</param>
/// <param name="WasFormatted">True when this call formatted an empty folder.</param>
public sealed record StoreIdentity(NodeId Node, StoreId Store, BootNumber Boot, bool WasFormatted)
{
    internal const string IdentityPath = "identity";
    internal const string BootPath = "boot";

    /// <summary>Reads the identity, or formats an empty folder with <paramref name="newStore"/>, and counts this start.</summary>
    /// <param name="newStore">Random, from the caller; used only if the folder is formatted now.</param>
    /// <exception cref="StoreRefusedException">The folder is not this node's, or not in a state to start on.</exception>
    /// <exception cref="DiskFaultException">A read, write or sync failed.</exception>
    public static StoreIdentity Open(IDisk disk, NodeId node, StoreExpectation expectation, StoreId newStore)
    {
        bool isFormatted = disk.FileExists(IdentityPath);
        if (!isFormatted)
        {
            RequireEmpty(disk, expectation);
            WholeFile.Replace(disk, IdentityPath, IdentityLayout.WriteIdentity(node, newStore));
        }

        IdentityContent identity = ReadIdentity(disk);
        if (identity.Node != node)
        {
            throw new StoreRefusedException(
                StoreRefusal.OtherNode,
                $"This data folder belongs to node {identity.Node.Value} (store {identity.Store}), and this is node {node.Value}. "
                + "Start the node with its own folder, or correct the node id in its configuration.");
        }

        long boot = ReadBoot(disk, identity.Store) + 1;
        WholeFile.Replace(disk, BootPath, IdentityLayout.WriteBoot(identity.Store, boot));
        return new StoreIdentity(node, identity.Store, new BootNumber(boot), !isFormatted);
    }

    private static void RequireEmpty(IDisk disk, StoreExpectation expectation)
    {
        // A format that was cut short leaves the file that was to be renamed, and nothing else. lost+found is the file system's own.
        string[] found = [.. disk.List("").Where(name => name is not (IdentityPath + ".new" or "lost+found"))];
        if (found.Length > 0)
        {
            throw new StoreRefusedException(
                StoreRefusal.Damaged,
                $"The data folder has no '{IdentityPath}' file but is not empty (it holds '{found[0]}'). If it is a RaftMq folder, put "
                + "back that file; if it is not, give the node an empty folder.");
        }

        if (expectation == StoreExpectation.HasData)
        {
            throw new StoreRefusedException(
                StoreRefusal.Emptied,
                "The data folder is empty, and this node had data before. Mount the right volume. If the data is lost, the node stays "
                + "out: an emptied node must not vote with its old name.");
        }
    }

    private static IdentityContent ReadIdentity(IDisk disk)
    {
        byte[] bytes = ReadAll(disk, IdentityPath);
        if (!IdentityLayout.TryReadIdentity(bytes, out IdentityContent content))
        {
            throw new StoreRefusedException(
                StoreRefusal.Damaged,
                $"The file '{IdentityPath}' of the data folder is damaged in both its copies. Put it back from a backup (it never "
                + "changes); without it the node stays out.");
        }

        if (content.Version == IdentityLayout.Version)
        {
            return content;
        }

        bool isOld = content.Version < IdentityLayout.Version;
        throw new StoreRefusedException(
            isOld ? StoreRefusal.OldFormat : StoreRefusal.NewerFormat,
            $"The data folder has format {content.Version}, this version reads format {IdentityLayout.Version}. "
            + (isOld
                ? "Start the version that wrote it."
                : "Start the newer version that wrote it."));
    }

    private static long ReadBoot(IDisk disk, StoreId store)
    {
        if (disk.FileExists(BootPath))
        {
            return IdentityLayout.TryReadBoot(ReadAll(disk, BootPath), store, out long boot)
                ? boot
                : throw LostBoot("is damaged in both its copies, or of another folder");
        }

        // Only a start that died right after the format has no boot number yet, and that wrote nothing else.
        return disk.FolderExists(Journal.JournalFile.Folder) ? throw LostBoot("is missing") : 0;
    }

    private static StoreRefusedException LostBoot(string what) => new(
        StoreRefusal.Damaged,
        $"The file '{BootPath}' of the data folder {what}. Without it old acknowledgements of this node could count again, and a "
        + "copy from a backup would be too old. The node stays out.");

    private static byte[] ReadAll(IDisk disk, string path)
    {
        using IDiskFile file = disk.Open(path, DiskFileMode.Existing);
        byte[] bytes = new byte[Math.Min(file.Length, IdentityLayout.FileBytes)];
        return bytes[..file.Read(0, bytes)];
    }
}
