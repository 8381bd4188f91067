class BadFile(Exception):
    """x"""
