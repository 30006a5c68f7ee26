namespace RaftMq.Broker.Groups;

/// <summary>What is wrong with the bytes of an entry or a snapshot.</summary>
public enum GroupDecodeFault
{
    None,

    /// <summary>Shorter than it says.</summary>
    Truncated,

    /// <summary>The checksum does not fit the bytes.</summary>
    Checksum,

    /// <summary>Written by a newer version than this one knows.</summary>
    UnknownVersion,

    UnknownKind,

    /// <summary>A field has a value that is never written: a bad text, a negative number, a wrong order, a name twice.</summary>
    BadValue,

    /// <summary>Bytes are left over.</summary>
    TrailingBytes,

    /// <summary>The rebuilt state's hash is not the one in the snapshot.</summary>
    StateHash,
}
