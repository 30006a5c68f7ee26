namespace RaftMq.Storage.Examination;

/// <summary>What an examination says of one file.</summary>
public enum FileState
{
    /// <summary>Every byte that counts is what was written.</summary>
    Whole,

    /// <summary>Its end was on its way when the node stopped: never acknowledged, or written again from elsewhere. Normal after a crash.</summary>
    Torn,

    /// <summary>Nobody needs it any more; the node deletes it, or uses it again.</summary>
    Leftover,

    /// <summary>None of the node's files. It is left alone.</summary>
    Foreign,

    /// <summary>What it should hold can't be told, because what tells it is lost.</summary>
    Unjudged,

    /// <summary>In part bad, and whole by what the file itself holds twice.</summary>
    Mendable,

    /// <summary>Durable bytes are not what was written.</summary>
    Damaged,

    /// <summary>It has to be there and is not.</summary>
    Missing,

    /// <summary>The disk does not give its bytes.</summary>
    Unreadable,
}
