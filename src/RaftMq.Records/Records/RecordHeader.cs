namespace RaftMq.Records;

/// <summary>One header of a record: a key in UTF-8 and bytes, or null.</summary>
public readonly record struct RecordHeader(string Key, byte[]? Value);
