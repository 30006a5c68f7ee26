namespace RaftMq.Kafka.Wire;

/// <summary>Why a message could not be read.</summary>
public enum WireFault
{
    None,

    /// <summary>The bytes end inside a field.</summary>
    Short,

    /// <summary>A length or count is negative where it may not be, or more than the bytes at hand could hold.</summary>
    Length,

    /// <summary>More array elements than one message may have.</summary>
    TooMany,

    /// <summary>A number of variable length is longer than its type.</summary>
    Varint,

    /// <summary>Null where the version has no null.</summary>
    Null,

    /// <summary>A string is not UTF-8.</summary>
    Text,

    /// <summary>A tagged field does not fill the size it announced.</summary>
    TagSize,

    /// <summary>The schema does not have the version.</summary>
    UnknownVersion,
}
