namespace RaftMq.Storage.Examination;

/// <summary>What a file of the data folder is for; docs/on-disk.md describes each.</summary>
public enum FileRole
{
    Identity,
    Boot,
    JournalMark,
    Journal,
    Reserve,
    GroupMeta,
    Segment,
    Index,
    Base,
    Newest,

    /// <summary>A base received from a leader.</summary>
    Install,

    /// <summary>A whole group's folder.</summary>
    Folder,

    /// <summary>None of the above.</summary>
    Other,
}
