using RaftMq.Raft;
using RaftMq.Storage.Checkpoints;
using RaftMq.Storage.Examination;
using RaftMq.Storage.Files;

namespace RaftMq.Simulation.Checkers;

/// <summary>Whether the files of a node are whole, as <c>raftmq doctor</c> sees them.</summary>
internal static class FolderJudge
{
    /// <summary>Of one group's folder, by its files alone: null, or which one is not whole and why.</summary>
    public static string? Fault(IDisk disk, string path, GroupId key, Func<LogIndex, bool>? mayLackBase = null)
    {
        foreach (ExaminedFile file in new GroupExamination(disk, path, key, begins: null, logBase: null, durableUpTo: null).Examine())
        {
            bool isExcused = file.Role == FileRole.Base && mayLackBase is not null
                && CheckpointFile.TryParse(file.Path[(path.Length + 1)..], CheckpointKind.Base, out LogIndex index) && mayLackBase(index);
            if (!isExcused && (file.IsDamage || file.State == FileState.Torn))
            {
                return Told(file);
            }
        }

        return null;
    }

    /// <summary>Of a whole data folder on which nobody works, where nothing was damaged, or of an empty one: null, or what is taken for damage all the same.</summary>
    public static string? Fault(IDisk disk)
    {
        if (!FolderExamination.IsDataFolder(disk))
        {
            return null;
        }

        ExaminedFolder folder = Examined(disk);
        return folder.Refusals
            .Concat(folder.Files.Where(static file => file.IsDamage || file.State == FileState.Foreign).Select(Told))
            .Concat(folder.Groups.Where(static group => group.IsDamaged).Select(static group => $"{group.Name}: {group.Fate}, {group.Report}"))
            .FirstOrDefault();
    }

    private static ExaminedFolder Examined(IDisk disk)
    {
#if PLANTED
        // The start that is tried is not the run's: what it reaches is not covered by that.
        Action<RareBranch>? observer = Probe.Observer;
        Probe.Observer = null;
        try
        {
            return FolderExamination.Run(disk, static _ => true);
        }
        finally
        {
            Probe.Observer = observer;
        }
#else
        return FolderExamination.Run(disk, static _ => true);
#endif
    }

    private static string Told(ExaminedFile file) => $"{file.Path} is {file.State}: {file.Detail}";
}
