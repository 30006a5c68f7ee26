namespace RaftMq.Records;

/// <summary>Who gave the records their time: bit 3 of the attributes.</summary>
public enum TimestampType
{
    /// <summary>The producer, record by record.</summary>
    CreateTime = 0,

    /// <summary>The broker, one time for the whole batch (its maximum timestamp).</summary>
    LogAppendTime = 1,
}
