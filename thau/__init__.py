"A small language model that grows up on your own computer."
__version__ = '0.1.0'
