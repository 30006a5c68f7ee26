namespace RaftMq.Storage.Examination;

/// <summary>What was found of one file, or of one that should be there.</summary>
/// <param name="Path">Relative to the data folder.</param>
/// <param name="Bytes">Its length; 0 where it is missing.</param>
/// <param name="Detail">What it holds and what is wrong, as part of a sentence; without a full stop.</param>
public sealed record ExaminedFile(string Path, FileRole Role, FileState State, long Bytes, string Detail)
{
    /// <summary>Something that was durable is not as it was written, whether or not it can be had back.</summary>
    public bool IsDamage => State >= FileState.Mendable;
}
